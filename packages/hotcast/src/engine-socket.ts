import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** A container as the engine lists it. */
export interface ListedContainer {
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>>;
}

const DEFAULT_SOCKET = '/var/run/docker.sock';

/** An engine on this machine answers within this time, or the `docker` command asks it (milliseconds). */
const TIMEOUT_MS = 2_000;

/** The socket of the engine that the `docker` command would ask, if it has one on this machine; null for all other ways to an engine. */
export function localSocket(context: string | null, env: Environment): string | null {
  const host = env['DOCKER_HOST'];
  const named = context ?? (host ? 'default' : env['DOCKER_CONTEXT'] || currentContext(env));
  if (named !== 'default' || process.platform === 'win32') return null;
  if (!host) return DEFAULT_SOCKET;
  return host.startsWith('unix://') ? host.slice('unix://'.length) : null;
}

/**
 * The containers that run and have all these labels, each `name=value`. The `docker` command takes ten times as long to start as the engine
 * to answer. Null: there is no such engine, or it gives no list.
 */
export function listContainers(socketPath: string, labels: readonly string[]): Promise<ListedContainer[] | null> {
  const filters = encodeURIComponent(JSON.stringify({ label: labels, status: ['running'] }));
  // With this version of HTTP, the engine ends the connection after the answer, and sends that in one piece.
  const request = `GET /containers/json?filters=${filters} HTTP/1.0\r\nHost: docker\r\n\r\n`;
  return new Promise(done => {
    let text = '';
    const socket = createConnection(socketPath, () => socket.write(request));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.once('error', () => undefined).once('close', () => done(bodyOf(text)));
  });
}

function bodyOf(answer: string): ListedContainer[] | null {
  const at = answer.indexOf('\r\n\r\n');
  if (at === -1 || !/^HTTP\/1\.[01] 200 /.test(answer)) return null;
  try {
    return JSON.parse(answer.slice(at)) as ListedContainer[];
  } catch {
    return null;
  }
}

/** The context that `docker context use` has chosen. */
function currentContext(env: Environment): string {
  try {
    const folder = env['DOCKER_CONFIG'] || join(homedir(), '.docker');
    const { currentContext: chosen } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as {
      readonly currentContext?: string;
    };
    return chosen || 'default';
  } catch {
    return 'default';
  }
}
