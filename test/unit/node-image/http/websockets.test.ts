import { once } from 'node:events';
import { request as nodeRequest } from 'node:http';

import { afterEach, describe, expect, it } from 'vitest';

import { startHttpServer } from '../../../../node-image/src/http/server.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import { WebSocketClient } from '../../../support/http/websocket-client.ts';
import { hosts } from '../modules/host.ts';

const host = hosts();
const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function servingHost() {
  const node = host({ codeChangeTimeoutMs: 60_000 });
  const http = await startHttpServer({ port: 0, node: 'fred', codeServer: node.server });
  stops.push(() => void http.stop(0));
  const base = `127.0.0.1:${http.port}`;
  return {
    ...node,
    http,
    base,
    connect: (path: string): Promise<WebSocketClient> => WebSocketClient.open(`ws://${base}${path}`),
  };
}

const serving = (hooks: string): string =>
  `export default { fetch: () => new Response('http'), websocket: { ${hooks} } as Hotcast.WebSocketHooks };`;

/** Asks for an upgrade; gives the response that refuses it, or opens. */
async function handshake(base: string, path: string) {
  const headers = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  };
  const sent = nodeRequest(`http://${base}${path}`, { headers }).end();
  const [response] = (await Promise.race([once(sent, 'response'), once(sent, 'upgrade')])) as [
    { statusCode: number; headers: Record<string, string>; destroy: () => void },
  ];
  sent.destroy();
  return { status: response.statusCode, headers: response.headers };
}

describe('a WebSocket connection', () => {
  it('survives every swap: each event goes to the current version, and keeps no version alive', async () => {
    const node = await servingHost();
    const version = (name: string): string =>
      serving(`
        open(peer) { peer.context.opened = '${name}'; },
        message(peer, message) { peer.send('${name}: ' + message.text() + ', opened on ' + peer.context.opened); },
      `);
    await node.push({ chat: version('one') });
    const talk = await node.connect('/chat/');
    expect(await talk.request('yabba')).toBe('one: yabba, opened on one');
    for (const name of ['two', 'three', 'four']) {
      await node.push({ chat: version(name) });
      expect(node.server.describeDraining()).toEqual([]);
      expect(await talk.request('dabba')).toBe(`${name}: dabba, opened on one`);
    }
    expect(node.server.describe()['chat']).toMatchObject({ inFlight: 0, errors: 0 });
  });

  it('that comes while the data of its module changes is accepted by the new version', async () => {
    const node = await servingHost();
    const version = (name: string): string => `
      let open = () => {};
      const barrier = new Promise<void>(resolve => (open = resolve));
      export const openBarrier = () => open();
      export const slow = () => barrier;
      export const codeChange = (data: object) => data;
      ${serving(`upgrade() { return { context: { by: '${name}' } }; }, open(peer) { peer.send(peer.context.by); }`)}
    `;
    await node.push({ chat: version('one') });
    const open = node.server.current('chat')?.exports['openBarrier'] as () => void;
    const running = node.call('chat', 'slow');
    const pushed = node.push({ chat: version('two') });
    await expect.poll(() => node.server.suspensions.untilResumed('chat') === null).toBe(false);
    const inFlight = node.server.callsInFlight;
    const talk = node.connect('/chat/');
    await expect.poll(() => node.server.callsInFlight).toBe(inFlight + 1);
    open();
    expect(await (await talk).next()).toBe('two');
    await Promise.all([running, pushed]);
  });

  it('shares the topics of its module only', async () => {
    const node = await servingHost();
    const hooks = `
      open(peer) { peer.subscribe('rocks'); },
      message(peer, message) { peer.publish('rocks', message.text()); peer.send('sent'); },
    `;
    await node.push({ chat: serving(hooks), talk: serving(hooks) });
    const [first, second, other] = await Promise.all(['/chat/a', '/chat/b', '/talk/'].map(node.connect));
    expect(await first?.request('for chat')).toBe('sent');
    expect(await second?.next()).toBe('for chat');
    expect(await other?.request('for talk')).toBe('sent');
    expect(await second?.request('again')).toBe('sent');
  });

  it('stays open when a hook throws, which is logged and counted', async () => {
    const node = await servingHost();
    await node.push({
      chat: serving(`async message(peer, message) {
        if (message.text() === 'bad') throw new RangeError('no rocks');
        peer.send('good');
      }`),
    });
    const talk = await node.connect('/chat/');
    talk.send('bad');
    expect(await talk.request('good')).toBe('good');
    expect(node.server.describe()['chat']).toMatchObject({ errors: 1 });
    expect(node.log.logged.find(({ message }) => message === 'error in websocket message')?.fields).toMatchObject({
      module: 'chat',
      err: { type: 'RangeError', message: 'no rocks' },
    });
  });

  it('is closed with a reason when a new version accepts no connections, or the module is removed', async () => {
    const node = await servingHost();
    for (const drainConnection of [
      async () => void (await node.push({ chat: `export default { fetch: () => new Response() };` })),
      () => void node.commit('chat', null),
    ]) {
      await node.push({ chat: serving('') });
      const talk = await node.connect('/chat/');
      await drainConnection();
      talk.send('anybody?');
      expect(await talk.closed).toEqual({ code: 1001, reason: 'chat accepts no connections' });
    }
  });

  it('is closed when the node stops', async () => {
    const node = await servingHost();
    await node.push({ chat: serving('') });
    const talk = await node.connect('/chat/');
    void node.http.stop(60_000);
    expect(await talk.closed).toEqual({ code: 1001, reason: 'the node stops' });
  });
});

describe('an upgrade', () => {
  it('opens with the headers that name node and revision, and those of the module', async () => {
    const node = await servingHost();
    const hooks = `upgrade: request => ({ headers: { url: request.url, at: request.headers.get('x-forwarded-prefix') } })`;
    const [bundle] = await node.push({ chat: serving(hooks) });
    expect(await handshake(node.base, '/chat/room?x=1')).toMatchObject({
      status: 101,
      headers: {
        'hotcast-node': 'fred',
        'hotcast-revision': `chat@${shortRevision(bundle?.revision ?? '')}`,
        url: `http://${node.base}/room?x=1`,
        at: '/chat',
      },
    });
  });

  it('is refused by the Response that the hook returns or throws', async () => {
    const node = await servingHost();
    for (const verb of ['return', 'throw']) {
      await node.push({ chat: serving(`upgrade() { ${verb} new Response('no', { status: 403 }); }`) });
      expect(await handshake(node.base, '/chat/')).toMatchObject({ status: 403, headers: { 'hotcast-node': 'fred' } });
    }
    expect(node.server.describe()['chat']).toMatchObject({ errors: 0 });
  });

  it('is refused with 500 when the hook fails', async () => {
    const node = await servingHost();
    await node.push({ chat: serving(`upgrade() { throw new RangeError('no rocks'); }`) });
    expect(await handshake(node.base, '/chat/')).toMatchObject({ status: 500 });
    expect(node.server.describe()['chat']).toMatchObject({ errors: 1 });
  });

  it('is refused with 404 when no module accepts it', async () => {
    const node = await servingHost();
    await node.push({ web: `export default { fetch: () => new Response() };`, demo: 'export const x = 1;' });
    for (const path of ['/web/', '/demo/', '/nowhere/', '/', '/No/']) {
      expect(await handshake(node.base, path)).toMatchObject({ status: 404, headers: { 'hotcast-node': 'fred' } });
    }
  });
});
