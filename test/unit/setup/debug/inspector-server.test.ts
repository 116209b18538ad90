import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openBridge } from '../../../../setup/debug/bridge.ts';
import { type Inspector, inspectorServer } from '../../../../setup/debug/inspector-server.ts';
import { Debugger } from '../../../support/debugger/debugger.ts';
import { WebSocketClient } from '../../../support/http/websocket-client.ts';
import { projects } from '../../projects.ts';

const SOURCE = `interface Sum { readonly total: number }

export function add(x: number, y: number): number {
  const sum: Sum = { total: x + y };
  return sum.total;
}
`;

/** Its file on this host, for modules in this folder. */
const MODULES_DIR = '/home/wilma/hot modules';
const FILE = 'file:///home/wilma/hot%20modules/demo.ts';

const project = projects();

/** A process with modules, and its open inspector. */
async function startNode() {
  const args = ['--inspect=127.0.0.1:0', '--import', 'tsx', 'test/unit/setup/debug/debugged-node.ts'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = createInterface({ input: child.stdout });
  const [text] = (await once(child.stderr, 'data')) as [Buffer];
  const [webSocketDebuggerUrl = ''] = /ws:\S+/.exec(String(text)) ?? [];
  child.stderr.resume();
  const id = new URL(webSocketDebuggerUrl).pathname.slice(1);
  const inspector: Inspector = {
    target: { id, title: 'fred', webSocketDebuggerUrl },
    connect: events => openBridge([process.execPath, '--experimental-websocket'], webSocketDebuggerUrl, events),
    sources: { modulesDir: MODULES_DIR, programMaps: new Map() },
  };
  /** Loads a source and calls its function. Gives the name of the script and the result. */
  const load = async (source: string): Promise<[script: string, sum: number]> => {
    child.stdin.write(`${project({ 'modules/demo.ts': source })}\n`);
    const [line] = (await once(lines, 'line')) as [string];
    return JSON.parse(line) as [string, number];
  };
  return { inspector, load, [Symbol.dispose]: () => void child.kill() };
}

let node: Awaited<ReturnType<typeof startNode>>;

describe('a debugger of a node', { timeout: 120_000 }, () => {
  beforeAll(async () => void (node = await startNode()));
  afterAll(() => node[Symbol.dispose]());

  const listening = async () => {
    const server = inspectorServer(() => node.inspector);
    const debug = await Debugger.attach(server);
    return {
      debug,
      [Symbol.dispose]: () => {
        debug[Symbol.dispose]();
        server.close();
      },
    };
  };

  it('stops at the line of the TypeScript file, in code that was there before it and in later versions', async () => {
    const [script] = await node.load(SOURCE);
    using attached = await listening();
    const { debug } = attached;
    await debug.breakAt(script, FILE, 4);
    const again = node.load(SOURCE);
    expect(await debug.paused()).toBe(`${FILE}:4`);
    await debug.resume();
    expect(await again).toEqual([script, 9]);

    const edited = `// One line more.\n${SOURCE.replace('x + y', 'x * y')}`;
    const [next] = await node.load(edited);
    await debug.breakAt(next, FILE, 6);
    const last = node.load(edited);
    expect(await debug.paused()).toBe(`${FILE}:6`);
    await debug.resume();
    expect(await last).toEqual([next, 20]);
  });

  it('reads the source as it was pushed', async () => {
    const [script] = await node.load(SOURCE);
    using attached = await listening();
    expect(await attached.debug.source(script)).toBe(SOURCE);
  });
});

describe('inspectorServer', () => {
  const inspector = {
    target: { id: 'secret', title: 'fred', webSocketDebuggerUrl: 'ws://127.0.0.1:9229/secret' },
    connect: () => expect.fail('a connection was opened'),
    sources: { modulesDir: '/modules', programMaps: new Map() },
  };

  async function start(open: Inspector | null = inspector) {
    const server = inspectorServer(() => open);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    return { port, [Symbol.dispose]: () => void server.close() };
  }

  async function request(port: number, path: string, host: string): Promise<{ status: number; body: string }> {
    const [response] = (await once(get({ port, path, headers: { host }, agent: false }), 'response')) as [
      IncomingMessage,
    ];
    return { status: response.statusCode ?? 0, body: (await response.toArray()).join('') };
  }

  it('names its target under the address that the debugger uses', async () => {
    using server = await start();
    const { body } = await request(server.port, '/json/list', `localhost:${server.port}`);
    expect(JSON.parse(body)).toEqual([
      { id: 'secret', title: 'fred', webSocketDebuggerUrl: `ws://localhost:${server.port}/secret` },
    ]);
    expect((await request(server.port, '/json/version', `127.0.0.1:${server.port}`)).body).toContain('"Browser"');
  });

  it.each(['example.org', '127.0.0.1.example.org'])('refuses the host %s', async host => {
    using server = await start();
    expect((await request(server.port, '/json/list', host)).status).toBe(400);
  });

  it('refuses a connection that does not know the id of the target', async () => {
    using server = await start();
    await expect(WebSocketClient.open(`ws://127.0.0.1:${server.port}/other`)).rejects.toThrow('does not open');
  });

  it('refuses everything before the inspector is open', async () => {
    using server = await start(null);
    expect((await request(server.port, '/json/list', '127.0.0.1')).status).toBe(400);
    await expect(WebSocketClient.open(`ws://127.0.0.1:${server.port}/undefined`)).rejects.toThrow('does not open');
  });
});
