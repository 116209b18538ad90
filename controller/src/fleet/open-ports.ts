import { connect } from 'node:net';

/** How long a service has to accept a connection (milliseconds). */
const TIMEOUT_MS = 1_000;

/** What the name of a service that does not run, or that a cluster does without, leads to. */
const UNKNOWN = new Set(['ENOTFOUND', 'EAI_AGAIN']);

/** Where a service of the cluster listens, by its name in docker-compose.yml. */
export interface Port {
  readonly service: string;
  readonly port: number;
}

/** `open`: it accepts connections. `unknown`: the network has no such service. Otherwise, why it does not. */
export type PortState = Port & { readonly state: 'open' | 'unknown' | (string & {}) };

/** What people and their programs reach a cluster by. */
const PORTS: readonly Port[] = [
  { service: 'proxy', port: 8080 },
  { service: 'console', port: 8090 },
];

/** Looks which ports accept a connection. */
export async function openPorts(ports: readonly Port[] = PORTS): Promise<readonly PortState[]> {
  return Promise.all(ports.map(async port => ({ ...port, state: await stateOf(port) })));
}

function stateOf({ service, port }: Port): Promise<string> {
  return new Promise(resolve => {
    const socket = connect({ host: service, port, timeout: TIMEOUT_MS });
    const end = (state: string): void => {
      socket.destroy();
      resolve(state);
    };
    socket.once('connect', () => end('open'));
    socket.once('timeout', () => end('no answer'));
    socket.once('error', ({ code = 'no answer' }: NodeJS.ErrnoException) => end(UNKNOWN.has(code) ? 'unknown' : code));
  });
}
