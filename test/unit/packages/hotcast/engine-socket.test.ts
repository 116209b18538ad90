import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, describe, expect, it } from 'vitest';

import { listContainers, localSocket } from '../../../../packages/hotcast/src/engine/socket.ts';

const folder = mkdtempSync(join(tmpdir(), 'hotcast-engine-'));
const socketPath = join(folder, 'docker.sock');
let server: Server | null = null;

afterEach(() => server?.close());
afterAll(() => rmSync(folder, { recursive: true }));

/** Serves this answer, and returns what was asked. */
async function engine(status: number, body: string): Promise<string[]> {
  const asked: string[] = [];
  server = createServer(({ url = '' }, response) => {
    asked.push(decodeURIComponent(url));
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }).listen(socketPath);
  await once(server, 'listening');
  return asked;
}

describe('the engine on this machine', () => {
  it('is asked for the containers that run and have all labels', async () => {
    const container = { Id: '3f2a', Labels: { 'hotcast.modules': './modules' } };
    const asked = await engine(200, JSON.stringify([container]));
    expect(await listContainers(socketPath, ['a=1', 'b=2'])).toEqual([container]);
    expect(asked).toEqual(['/containers/json?filters={"label":["a=1","b=2"],"status":["running"]}']);
  });

  it('gives no list when it fails, or is not there: then the docker command says why', async () => {
    await engine(500, '{ "message": "no" }');
    expect(await listContainers(socketPath, [])).toBeNull();
    expect(await listContainers(join(folder, 'none.sock'), [])).toBeNull();
  });
});

describe('the socket', () => {
  const config = (text: string) => {
    writeFileSync(join(folder, 'config.json'), text);
    return { DOCKER_CONFIG: folder };
  };

  it('is that of the docker command, if this has one on this machine', () => {
    expect(localSocket(null, config('{}'))).toBe('/var/run/docker.sock');
    expect(localSocket(null, { ...config('{}'), DOCKER_HOST: 'unix:///run/user/1000/docker.sock' })).toBe(
      '/run/user/1000/docker.sock',
    );
    expect(localSocket('default', config('{ "currentContext": "mars" }'))).toBe('/var/run/docker.sock');
  });

  it.for([
    ['a context that is given', 'mars', {}],
    ['a context of the shell', null, { DOCKER_CONTEXT: 'mars' }],
    ['a host', null, { DOCKER_HOST: 'ssh://mars' }],
  ] as const)('is none with %s', ([, context, env]) => {
    expect(localSocket(context, { ...config('{}'), ...env })).toBeNull();
  });

  it('is that of a context, if this has one on this machine', () => {
    const env = config('{ "currentContext": "desktop-linux" }');
    expect(localSocket(null, env)).toBeNull();
    const meta = join(folder, 'contexts/meta', createHash('sha256').update('desktop-linux').digest('hex'));
    mkdirSync(meta, { recursive: true });
    const write = (Host: string) =>
      writeFileSync(
        join(meta, 'meta.json'),
        JSON.stringify({ Name: 'desktop-linux', Endpoints: { docker: { Host } } }),
      );
    write('unix:///home/wilma/.docker/desktop/docker.sock');
    expect(localSocket(null, env)).toBe('/home/wilma/.docker/desktop/docker.sock');
    // A host of the environment goes before the context in use, and not before one that is given.
    expect(localSocket(null, { ...env, DOCKER_HOST: 'ssh://mars' })).toBeNull();
    expect(localSocket('desktop-linux', { ...env, DOCKER_HOST: 'ssh://mars' })).toBe(
      '/home/wilma/.docker/desktop/docker.sock',
    );
    write('ssh://mars');
    expect(localSocket(null, env)).toBeNull();
  });
});
