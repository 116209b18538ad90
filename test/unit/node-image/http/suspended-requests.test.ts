import { request as nodeRequest } from 'node:http';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { type HttpServer, startHttpServer } from '../../../../node-image/src/http/server.ts';
import { hosts } from '../modules/host.ts';

const host = hosts();
const servers: HttpServer[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) void server.stop(0);
});

/** A node that serves by HTTP. */
async function servingHost() {
  const node = host({ codeChangeTimeoutMs: 60_000 });
  const http = await startHttpServer({ port: 0, node: 'fred', codeServer: node.server });
  servers.push(http);
  return { ...node, http, base: `http://127.0.0.1:${http.port}` };
}

describe('a request to a module whose data changes', () => {
  const version = (name: string): string => `
    let open = () => {};
    const barrier = new Promise<void>(resolve => (open = resolve));
    export const openBarrier = () => open();
    export const slow = () => barrier;
    export const codeChange = (data: object) => data;
    export default { fetch: () => new Response('${name}') };
  `;

  /** A node that waits for a call before it changes the data. */
  async function suspendedHost() {
    const node = await servingHost();
    await node.push({ web: version('one') });
    const open = node.server.current('web')?.exports['openBarrier'] as () => void;
    const running = node.call('web', 'slow');
    const pushed = node.push({ web: version('two') });
    await expect.poll(() => node.server.suspensions.untilResumed('web') === null).toBe(false);
    const finish = async (): Promise<void> => {
      open();
      await Promise.all([running, pushed]);
    };
    return { node, finish, inFlight: node.server.callsInFlight };
  }

  it('waits, and is answered by the new version', async () => {
    const { node, finish, inFlight } = await suspendedHost();
    const response = fetch(`${node.base}/web/`);
    await expect.poll(() => node.server.callsInFlight).toBe(inFlight + 1);
    await finish();
    expect(await (await response).text()).toBe('two');
  });

  it('is over when its client leaves before that', async () => {
    const { node, finish, inFlight } = await suspendedHost();
    const leaving = nodeRequest(`${node.base}/web/`, { agent: false }).on('error', () => undefined);
    leaving.end();
    await expect.poll(() => node.server.callsInFlight).toBe(inFlight + 1);
    leaving.destroy();
    await new Promise(resolve => leaving.once('close', resolve));
    // The node reads of the other connection in this time.
    await (await fetch(node.base)).text();
    await finish();
    await expect.poll(() => node.server.callsInFlight).toBe(0);
  });
});

it('a request holds the version that was current when it came, also before it is read', async () => {
  const node = await servingHost();
  const source = `export default { fetch: () => new Response(String(import.meta.hot.signal.aborted)) };`;
  await node.push({ web: source });
  const [next] = await node.compile({ web: `${source} export const two = 2;` });
  if (next === undefined) throw new Error('nothing was compiled');
  const begin = node.server.current.bind(node.server);
  vi.spyOn(node.server, 'current').mockImplementationOnce(module => {
    const version = begin(module);
    queueMicrotask(() => void node.load(next));
    return version;
  });
  expect(await (await fetch(`${node.base}/web/`)).text()).toBe('false');
});
