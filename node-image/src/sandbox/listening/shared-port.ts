import { isIP, type ListenOptions, Server, type Socket } from 'node:net';

import { runOutside } from '../execution-context.ts';

/** How long a port stays open after its last server, until the next version listens on it (milliseconds). */
const HANDOVER_TIMEOUT_MS = 5_000;

/** Takes what comes in on a port. */
export interface PortServer {
  /** Takes a new connection. */
  readonly connect: (socket: Socket) => void;
  /** Called when the port could not be opened. */
  readonly fail: (error: Error) => void;
}

/**
 * A port that the node holds for one module. Its versions listen on it one after the other: the newest server gets what comes
 * in. Between two of them, connections wait.
 */
export class SharedPort<S extends PortServer> {
  readonly module: string;
  readonly #server = new Server({ allowHalfOpen: true });
  readonly #onClosed: () => void;
  #servers: readonly S[] = [];
  #waiting: ((server: S | null) => void)[] = [];
  #handover: NodeJS.Timeout | null = null;
  #isClosed = false;
  /** Resolves when the port is open; rejects when it can't be opened. Null when that was known at once. */
  readonly opening: Promise<void> | null;

  /**
   * @param onClosed is called when the port is closed.
   * @throws Error when the port can't be opened and this is known at once: always, except for a name that only DNS knows.
   */
  constructor(module: string, options: ListenOptions, onClosed: () => void) {
    this.module = module;
    this.#onClosed = onClosed;
    const server = this.#server;
    server.on('connection', socket => {
      // It counts for the server that takes it.
      Reflect.set(server, '_connections', 0);
      this.whenTaken(next => (next === null ? socket.destroy() : next.connect(socket)));
    });
    const opened = runOutside(() => {
      const done = new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject));
      open(server, options);
      return done;
    });
    opened.catch(() => undefined);
    server.on('error', error => this.#servers.at(-1)?.fail(error));
    if (!server.listening && !isLookedUp(options)) {
      throw new Error(`${where(options)} is in use, or this process may not open it`);
    }
    this.opening = server.listening ? null : opened;
  }

  /** As `server.address()`. */
  address(): ReturnType<Server['address']> {
    return this.#server.address();
  }

  /** The server that gets what comes in; null while there is none. */
  get newest(): S | null {
    return this.#servers.at(-1) ?? null;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  has(isIt: (server: S) => boolean): boolean {
    return this.#servers.some(isIt);
  }

  /** Adds the newest server. What waits goes to it in the next turn, when the server has its listeners. */
  add(server: S): void {
    this.#servers = [...this.#servers, server];
    if (this.#handover !== null) clearTimeout(this.#handover);
    this.#handover = null;
    if (this.#waiting.length > 0) setImmediate(() => this.#give());
  }

  /**
   * Removes a server, which gets nothing more.
   *
   * @param successor whether another version of the module may listen soon. Otherwise the port closes with its last server.
   */
  remove(server: S, { successor }: { readonly successor: boolean }): void {
    this.#servers = this.#servers.filter(each => each !== server);
    if (this.#servers.length > 0) return;
    if (!successor) return this.#close();
    this.#handover ??= runOutside(() => setTimeout(() => this.#close(), HANDOVER_TIMEOUT_MS).unref());
  }

  /** Calls `take` with the newest server: at once, or when there is one; with null when the port is closed. */
  whenTaken(take: (server: S | null) => void): void {
    if (this.#isClosed) return take(null);
    this.#waiting.push(take);
    if (this.#waiting.length === 1 && this.newest !== null) this.#give();
  }

  #give(): void {
    const { newest } = this;
    if (newest === null) return;
    for (const take of this.#waiting.splice(0)) take(newest);
  }

  #close(): void {
    if (this.#handover !== null) clearTimeout(this.#handover);
    this.#handover = null;
    this.#isClosed = true;
    this.#server.close();
    this.#onClosed();
    for (const take of this.#waiting.splice(0)) take(null);
  }
}

/** Whether `listen` looks the host up first, so that it binds in a later turn. Node.js does so for addresses too. */
function isLookedUp({ host, ipv6Only, reusePort }: ListenOptions): boolean {
  return host !== undefined && (isIP(host) === 0 || ipv6Only === true || reusePort === true);
}

/** Opens a server's socket, in this turn of the event loop if possible. */
function open(server: Server, options: ListenOptions): void {
  const { host, port = 0, backlog = 0 } = options;
  if (host !== undefined && !isLookedUp(options)) {
    (server as ServerWithListen2)._listen2(host, port, isIP(host), backlog);
  } else server.listen({ ...options, exclusive: true, signal: undefined });
}

/** What `listen` calls after the look-up; a name from Node.js 0.x that it still has. */
interface ServerWithListen2 extends Server {
  _listen2(address: string, port: number, family: number, backlog: number): void;
}

function where({ host, port, path }: ListenOptions): string {
  if (path !== undefined) return path;
  return host === undefined ? `port ${port}` : `${host}:${port}`;
}
