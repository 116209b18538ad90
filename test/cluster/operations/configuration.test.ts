import { describe, expect, it } from 'vitest';

import { COOKIE_RULE } from '../../../protocol/names.ts';
import { imageOf } from '../../support/cluster.ts';
import { runToEnd } from '../../support/docker.ts';
import { run } from '../../support/shell.ts';

const COOKIE = `COOKIE must be ${COOKIE_RULE}`;
const URL = 'NATS_URL must look like nats://host:4222';

describe('a container with a bad configuration', () => {
  it.for([
    ['node', 'hotcast-node'],
    ['controller', 'hotcast'],
    ['roster', 'hotcast-roster'],
  ] as const)('ends with one line that says what is wrong: %s', async ([service, speaker]) => {
    const Env = ['COOKIE=fred & wilma', 'NATS_URL=nowhere', 'NODE_LABELS=hotcast.node=dino'];
    expect(await runToEnd(imageOf(service), { Env })).toEqual({
      exitCode: 2,
      lines: [`${speaker}: ${COOKIE}; ${URL}`],
    });
  });
});

describe('hotcast', () => {
  it('says that no controller listens', async () => {
    expect(await runToEnd(imageOf('controller'), { Cmd: ['hotcast', 'nodes'] })).toEqual({
      exitCode: 2,
      lines: ['hotcast: no controller listens in this container; nothing was sent (see: make logs)'],
    });
  });
});

describe('setup/hotcast', () => {
  it('says that the controller is not running', async () => {
    expect(await run('setup/hotcast', ['nodes'], { HOTCAST_PROJECT: 'hotcast-test-nowhere' })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'hotcast: the controller is not running; start the cluster with: make up\n',
    });
  });

  it('says that no engine answers', async () => {
    expect(await run('setup/hotcast', ['nodes'], { DOCKER_HOST: 'unix:///nonexistent.sock' })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'hotcast: no Docker engine answers; start it, or let make set one up: make up\n',
    });
  });
});
