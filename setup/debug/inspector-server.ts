import { createServer, type Server } from 'node:http';

import nodeAdapter from 'crossws/adapters/node';

import type { Bridge, BridgeEvents } from './bridge.ts';
import { relay, type Sources } from './relay.ts';

/** What an inspector says of itself (`/json/list`). */
export interface Target {
  readonly id: string;
  readonly title: string;
  readonly webSocketDebuggerUrl: string;
}

/** An inspector that is open. */
export interface Inspector {
  readonly target: Target;
  readonly connect: (events: BridgeEvents) => Bridge;
  readonly sources: Sources;
}

/** A page of the internet can give its own name to this host, so a request must name it as it is. Node.js does the same. */
const OWN_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;

/**
 * A server that stands in for an inspector, and adds the source maps of modules. It tells debuggers of its target by HTTP, and
 * takes their WebSocket connections. It refuses all requests while the inspector is null.
 */
export function inspectorServer(inspector: () => Inspector | null): Server {
  const bridges = new Map<string, Bridge>();
  const adapter = nodeAdapter({
    // A debugger may be silent.
    idleTimeout: 0,
    hooks: {
      open: peer => {
        const opened = inspector();
        if (opened === null) return peer.terminate();
        const toDebugger = (message: string): void => void peer.send(message);
        const toInspector = (message: string): void => bridge.send(message);
        const onMessage = relay({ toDebugger, toInspector }, opened.sources);
        const bridge = opened.connect({ onMessage, onClose: () => peer.terminate() });
        bridges.set(peer.id, bridge);
      },
      message: (peer, message) => bridges.get(peer.id)?.send(message.text()),
      close: peer => {
        bridges.get(peer.id)?.close();
        bridges.delete(peer.id);
      },
    },
  });
  const server = createServer(({ url, headers: { host = '' } }, response) => {
    const target = OWN_HOST.test(host) ? (inspector()?.target ?? null) : null;
    const body = target === null ? null : discovery(url, host, target);
    if (body === null) return response.writeHead(400).end();
    return response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' }).end(JSON.stringify(body));
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    // The id is a secret: a page of the internet can open a WebSocket, but can't read the list of targets.
    const id = inspector()?.target.id;
    const isForTarget = id !== undefined && request.url === `/${id}`;
    if (!isForTarget || !OWN_HOST.test(request.headers.host ?? '')) return void socket.destroy();
    void adapter.handleUpgrade(request, socket, head);
  });
  return server;
}

/** The answer to a request of a debugger that looks for targets; null for another request. */
function discovery(url: string | undefined, host: string, target: Target): unknown {
  if (url === '/json/version') return { Browser: 'node.js', 'Protocol-Version': '1.1' };
  if (url !== '/json' && url !== '/json/list') return null;
  const address = new URL(target.webSocketDebuggerUrl).host;
  const entries = Object.entries(target).map(([key, value]) => [key, String(value).replace(address, host)]);
  return [Object.fromEntries(entries)];
}
