import { connect, type NatsConnection } from '@nats-io/transport-node';

import type { NatsOptions } from './cluster.ts';

/** Listens on the cluster's NATS, to see what is sent to whom. */
export class Wire implements AsyncDisposable {
  /** The subjects of all messages so far. */
  readonly subjects: string[] = [];
  readonly #nats: NatsConnection;

  private constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  /** Starts to listen; whatever is sent from then on is seen. */
  static async tap(options: NatsOptions, subject: string): Promise<Wire> {
    const nats = await connect(options);
    const wire = new Wire(nats);
    nats.subscribe(subject, { callback: (_, message) => void wire.subjects.push(message.subject) });
    await nats.flush();
    return wire;
  }

  /** Resolves with the first message on a subject from now on. */
  async next(subject: string): Promise<void> {
    const subscription = this.#nats.subscribe(subject, { max: 1, timeout: 30_000 });
    for await (const _ of subscription) return;
  }

  /** Resolves when everything that was sent before has been seen. */
  async settled(): Promise<void> {
    await this.#nats.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nats.close();
  }
}
