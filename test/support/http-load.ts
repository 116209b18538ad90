import { Agent, request, type IncomingMessage } from 'node:http';
import { EventEmitter, once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Each connection asks this long after its last answer (milliseconds). */
const PAUSE = 200;

/** A request fails when it is not answered within this time (milliseconds). */
const PATIENCE = 20_000;

/** What came back. */
export interface Answer {
  readonly status: number | undefined;
  readonly node: string;
  readonly revision: string;
  readonly body: string;
  /** When it was asked for (`performance.now()`). */
  readonly askedAt: number;
}

/** A load of requests on keep-alive connections: each asks again and again, one request at a time. */
export class HttpLoad {
  readonly answers: Answer[] = [];
  readonly failures: unknown[] = [];
  /** How many connections were made for all of that. */
  connections = 0;
  readonly #news = new EventEmitter();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[];

  constructor(url: string, { connections, methods = ['GET'] }: { connections: number; methods?: readonly string[] }) {
    this.#running = Array.from({ length: connections }, (_, index) => this.#ask(url, methods, index));
  }

  /** Resolves when there are so many answers more for each connection, on average. */
  async rounds(count: number): Promise<void> {
    const wanted = this.answers.length + count * this.#running.length;
    const signal = AbortSignal.timeout(PATIENCE);
    while (this.answers.length < wanted) await once(this.#news, 'answer', { signal });
  }

  /** Resolves when the last request is answered. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #ask(url: string, methods: readonly string[], index: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let round = index; !this.#stop.signal.aborted; round += 1) {
      try {
        const askedAt = performance.now();
        const sent = request(url, {
          agent,
          method: methods[round % methods.length],
          signal: AbortSignal.timeout(PATIENCE),
        });
        sent.end();
        const [response] = (await once(sent, 'response')) as [IncomingMessage];
        if (!ports.has(sent.socket?.localPort)) this.connections += 1;
        ports.add(sent.socket?.localPort);
        const { statusCode: status, headers } = response;
        const named = { node: String(headers['hotcast-node']), revision: String(headers['hotcast-revision']) };
        this.answers.push({ status, ...named, body: await text(response), askedAt });
        this.#news.emit('answer');
      } catch (error) {
        this.failures.push(error);
      }
      await new Promise(resolve => setTimeout(resolve, PAUSE));
    }
    agent.destroy();
  }
}
