import { randomBytes } from 'node:crypto';

import type { NatsConnection } from '@nats-io/transport-node';

import { lastToken } from '../../protocol/subjects.ts';

/** How long the nodes may take to answer (milliseconds). */
const PATIENCE = 10_000;

/** Between two questions to nodes that are not all there yet (milliseconds). */
const AGAIN = 100;

/** Publishes a message to all nodes and gathers their answers. */
export class Asker {
  readonly #nats: NatsConnection;
  readonly #answered = new Set<string>();
  #turn = 0;
  #nodes = 0;
  #done: (() => void) | null = null;

  constructor(nats: NatsConnection) {
    this.#nats = nats;
    nats.subscribe('answers.>', {
      callback: (error, { subject }) => {
        if (error !== null || !subject.startsWith(`answers.${this.#turn}.`)) return;
        this.#answered.add(lastToken(subject));
        if (this.#answered.size === this.#nodes) this.#done?.();
      },
    });
  }

  /** Asks until so many nodes answer; from then on all of them must. @throws Error when they are not there in time. */
  async expect(nodes: number): Promise<void> {
    this.#nodes = nodes;
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      try {
        await this.fanOut(new Uint8Array(), AGAIN);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
    }
  }

  /**
   * Publishes once, and waits for an answer of every node.
   *
   * @returns how long that took (milliseconds).
   * @throws Error when a node does not answer in time.
   */
  async fanOut(payload: Uint8Array, timeoutMs = PATIENCE): Promise<number> {
    this.#turn += 1;
    this.#answered.clear();
    let timer: NodeJS.Timeout | undefined;
    const all = new Promise<void>((resolve, reject) => {
      this.#done = resolve;
      const late = (): void => reject(new Error(`${this.#answered.size} of ${this.#nodes} nodes answered`));
      timer = setTimeout(late, timeoutMs);
    });
    const startedAt = performance.now();
    this.#nats.publish('bare', payload, { reply: `answers.${this.#turn}` });
    await all.finally(() => clearTimeout(timer));
    return performance.now() - startedAt;
  }
}

/**
 * Carries out a line of words: `expect NODES`, `once BYTES` (a fan-out of so many bytes) or `twice BYTES` (that, and then
 * one of a small message, as a push of two phases needs). The answer tells `took` in microseconds, or the `error`.
 */
export async function answerOrder(asker: Asker, line: string): Promise<{ took: number } | { error: string }> {
  const [order = '', argument = ''] = line.split(' ');
  try {
    return { took: Math.round((await obey(asker, order, Number(argument))) * 1_000) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** About as much as a head is. */
const SMALL = 256;

async function obey(asker: Asker, order: string, argument: number): Promise<number> {
  if (order === 'expect') {
    await asker.expect(argument);
    return 0;
  }
  if (order !== 'once' && order !== 'twice') throw new Error(`there is no order ${JSON.stringify(order)}`);
  const payload = randomBytes(argument);
  const small = randomBytes(SMALL);
  const first = await asker.fanOut(payload);
  return order === 'once' ? first : first + (await asker.fanOut(small));
}
