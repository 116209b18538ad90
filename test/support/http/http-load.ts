import { Agent, request, type IncomingMessage } from 'node:http';
import { EventEmitter, once } from 'node:events';
import { text } from 'node:stream/consumers';

/** The pause of each connection between an answer and the next request (milliseconds). */
const PAUSE_MS = 200;

/** A request without an answer fails after this time (milliseconds). */
const REQUEST_TIMEOUT_MS = 20_000;

/** An answer to a request. */
export interface Answer {
  readonly status: number | undefined;
  readonly node: string;
  readonly revision: string;
  readonly body: string;
  /** When the request was sent (`performance.now()`). */
  readonly sentAt: number;
}

export interface HttpLoadOptions {
  readonly connections: number;
  /** Default: GET. */
  readonly methods?: readonly string[];
  /** False: each request has a connection of its own. */
  readonly keepAlive?: boolean;
}

/** A load of requests. Each connection sends one request at a time. */
export class HttpLoad {
  readonly answers: Answer[] = [];
  readonly failures: unknown[] = [];
  /** The number of connections that were opened. */
  connections = 0;
  readonly #events = new EventEmitter();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[];

  constructor(url: string, { connections, methods = ['GET'], keepAlive = true }: HttpLoadOptions) {
    this.#running = Array.from({ length: connections }, (_, index) =>
      this.#sendRequests(url, methods, index, keepAlive),
    );
  }

  /** Resolves when each connection has, on average, this number of further answers. */
  async rounds(count: number): Promise<void> {
    const wanted = this.answers.length + count * this.#running.length;
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    while (this.answers.length < wanted) await once(this.#events, 'answer', { signal });
  }

  /** Resolves when the last request is answered. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #sendRequests(url: string, methods: readonly string[], index: number, keepAlive: boolean): Promise<void> {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let round = index; !this.#stop.signal.aborted; round += 1) {
      try {
        const sentAt = performance.now();
        const sent = request(url, {
          agent,
          method: methods[round % methods.length],
          signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        });
        sent.end();
        const [response] = (await once(sent, 'response')) as [IncomingMessage];
        if (!ports.has(sent.socket?.localPort)) this.connections += 1;
        ports.add(sent.socket?.localPort);
        const { statusCode: status, headers } = response;
        const named = { node: String(headers['hotcast-node']), revision: String(headers['hotcast-revision']) };
        this.answers.push({ status, ...named, body: await text(response), sentAt });
        this.#events.emit('answer');
      } catch (error) {
        this.failures.push(error);
      }
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
    }
    agent.destroy();
  }
}
