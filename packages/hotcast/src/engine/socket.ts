import { createHash } from 'node:crypto';
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
  if (process.platform === 'win32') return null;
  if (named === 'default' && !host) return DEFAULT_SOCKET;
  const at = named === 'default' ? host : hostOfContext(named, env);
  return at?.startsWith('unix://') === true ? at.slice('unix://'.length) : null;
}

/**
 * The containers that run and have all these labels, each `name=value`. The `docker` command takes ten times as long to start as the engine
 * to answer. Null: there is no such engine, or it gives no list.
 */
export async function listContainers(socketPath: string, labels: readonly string[]): Promise<ListedContainer[] | null> {
  const filters = encodeURIComponent(JSON.stringify({ label: labels, status: ['running'] }));
  const answer = await ask(socketPath, 'GET', `/containers/json?filters=${filters}`);
  return answer.status === 200 ? (answer.body as ListedContainer[]) : null;
}

/** What an engine has answered. Status 0: nothing that can be read. */
interface Answer {
  readonly status: number;
  /** JSON; null for none. */
  readonly body: unknown;
}

/** Sends a request to an engine. */
export function ask(socketPath: string, method: 'GET' | 'POST', path: string, content?: object): Promise<Answer> {
  return new Promise(done => {
    let text = '';
    // With this version of HTTP, the engine ends the connection after the answer, and sends that in one piece.
    const socket = createConnection(socketPath, () => socket.write(requestOf(method, path, content, '1.0')));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.once('error', () => undefined).once('close', () => done(answerOf(text)));
  });
}

/** The text of a request. @param headers more of them, each with its line end. */
export function requestOf(method: string, path: string, content: object | undefined, version: string, headers = '') {
  const body = content === undefined ? '' : JSON.stringify(content);
  const type = content === undefined ? '' : 'Content-Type: application/json\r\n';
  const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${path} HTTP/${version}\r\nHost: docker\r\n${headers}${type}${length}\r\n${body}`;
}

function answerOf(text: string): Answer {
  const at = text.indexOf('\r\n\r\n');
  const [, status] = /^HTTP\/1\.[01] (\d{3}) /.exec(text) ?? [];
  if (at === -1 || status === undefined) return { status: 0, body: null };
  try {
    return { status: Number(status), body: JSON.parse(text.slice(at)) };
  } catch {
    return { status: Number(status), body: null };
  }
}

/** The context that `docker context use` has chosen. */
function currentContext(env: Environment): string {
  const { currentContext: chosen } = readConfig(env, 'config.json') as { readonly currentContext?: string };
  return chosen || 'default';
}

/** The address of the engine of a context, as the `docker` command keeps it. */
function hostOfContext(name: string, env: Environment): string | undefined {
  const folder = createHash('sha256').update(name).digest('hex');
  const { Endpoints } = readConfig(env, 'contexts', 'meta', folder, 'meta.json') as {
    readonly Endpoints?: { readonly docker?: { readonly Host?: string } };
  };
  return Endpoints?.docker?.Host;
}

/** A file of JSON in the folder of the `docker` command; an empty object when it can't be read. */
function readConfig(env: Environment, ...path: readonly string[]): object {
  try {
    const folder = env['DOCKER_CONFIG'] || join(homedir(), '.docker');
    return JSON.parse(readFileSync(join(folder, ...path), 'utf8')) as object;
  } catch {
    return {};
  }
}
