import { describe, expect, it } from 'vitest';

import { COOKIE_RULE } from '../../../protocol/names.ts';
import { projectImage } from '../../support/cluster/project-image.ts';
import { runContainer } from '../../support/docker/run-container.ts';
import { run } from '../../support/shell.ts';

const COOKIE = `COOKIE must be ${COOKIE_RULE}`;
const URL = 'NATS_URL must be nats://host:port or tls://host:port, or several of them, separated by commas';

describe('a container with a bad configuration', () => {
  it.for([
    ['node', 'hotcast-node'],
    ['controller', 'hotcast'],
    ['roster', 'hotcast-roster'],
  ] as const)('ends with exit code 2 and one line with every error: %s', async ([service, program]) => {
    const Env = ['COOKIE=fred & wilma', 'NATS_URL=nowhere', 'NODE_LABELS=hotcast.node=dino'];
    expect(await runContainer(projectImage(service), { Env })).toEqual({
      exitCode: 2,
      lines: [`${program}: ${COOKIE}; ${URL}`],
    });
  });
});

describe('hotcast', () => {
  it('reports that no controller listens', async () => {
    expect(await runContainer(projectImage('controller'), { Cmd: ['hotcast', 'nodes'] })).toEqual({
      exitCode: 2,
      lines: ['hotcast: no controller listens in this container; nothing was sent (see: docker compose logs)'],
    });
  });
});

describe('setup/hotcast', () => {
  it('reports that the controller is not running', async () => {
    expect(await run('setup/hotcast', ['nodes'], { HOTCAST_PROJECT: 'hotcast-test-nowhere' })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'hotcast: the controller of hotcast-test-nowhere is not running; start the cluster with: make up\n',
    });
  });

  it('reports that no Docker engine answers', async () => {
    const { exitCode, stdout, stderr } = await run('setup/hotcast', ['nodes'], {
      DOCKER_HOST: 'unix:///nonexistent.sock',
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(
      /^hotcast: no Docker engine answers; start it, and then the cluster with: make up \(.*nonexistent\.sock.*\)\n$/,
    );
  });
});
