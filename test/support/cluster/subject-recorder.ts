import { connect, type NatsConnection } from '@nats-io/transport-node';

import type { NatsOptions } from './cluster.ts';

/** Records the subjects of messages on the cluster's NATS. */
export class SubjectRecorder implements AsyncDisposable {
  /** The subjects of all messages until now. */
  readonly subjects: string[] = [];
  readonly #nats: NatsConnection;

  private constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  /** Records everything that is sent after this resolves. */
  static async start(options: NatsOptions, subject: string): Promise<SubjectRecorder> {
    const nats = await connect(options);
    const recorder = new SubjectRecorder(nats);
    nats.subscribe(subject, { callback: (_, message) => void recorder.subjects.push(message.subject) });
    await nats.flush();
    return recorder;
  }

  /** Resolves with the next message on a subject. */
  async next(subject: string): Promise<void> {
    const subscription = this.#nats.subscribe(subject, { max: 1, timeout: 30_000 });
    for await (const _ of subscription) return;
  }

  /** Resolves when everything that was sent before has been received. */
  async flush(): Promise<void> {
    await this.#nats.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nats.close();
  }
}
