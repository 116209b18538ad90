import { EventEmitter, once } from 'node:events';

import { connect, createInbox, headers, type NatsConnection, PermissionViolationError } from '@nats-io/transport-node';

import { ANSWER_TO, lastToken } from '../../protocol/subjects.ts';
import type { Cluster } from './cluster.ts';
import { inboxPrefix, nodeInbox, type Role } from '../../protocol/inboxes.ts';

/** How a node is called that has no name in Docker's DNS: such as this machine, with the attacker's connection name. */
export const STRANGER = 'node-012345x';

/** What an answer that should come comes within (milliseconds). */
const DEADLINE = 20_000;

/** A hostile NATS client with the credentials of a process of the cluster. */
export class Attacker implements AsyncDisposable {
  readonly nats: NatsConnection;
  readonly #role: Role;
  readonly #refused: string[] = [];
  readonly #news = new EventEmitter();

  private constructor(nats: NatsConnection, role: Role) {
    this.nats = nats;
    this.#role = role;
    void this.#listen();
  }

  static async as(cluster: Cluster, role: Role, cookie = cluster.cookie): Promise<Attacker> {
    const { servers = '' } = await cluster.natsOptions();
    const nats = await connect({
      servers,
      authenticator: cluster.keys.as(role, cookie),
      inboxPrefix: role === 'node' ? nodeInbox(STRANGER) : inboxPrefix(role),
      name: 'hotcast-node 0123456789ab',
    });
    return new Attacker(nats, role);
  }

  /** Publishes and subscribes; gives what of it NATS refused with a permissions violation: `publish <subject>`, … */
  async attempt(publish: readonly string[], subscribe: readonly string[], payload = '{}'): Promise<string[]> {
    this.#refused.length = 0;
    for (const subject of publish) this.nats.publish(subject, payload);
    const taps = subscribe.map(subject => this.nats.subscribe(subject, { callback: () => undefined }));
    // Refused to everybody, and told after all before it.
    const fence = 'the.end';
    this.nats.publish(fence);
    const signal = AbortSignal.timeout(DEADLINE);
    while (this.#refused.at(-1) !== `publish ${fence}`) await once(this.#news, 'refused', { signal });
    for (const tap of taps) if (!tap.isClosed()) tap.unsubscribe();
    return this.#refused.slice(0, -1);
  }

  /**
   * Sends as a controller does, to a verb or as a bundle; gives what each of so many nodes answers, by its name.
   *
   * @throws TimeoutError when fewer answer.
   */
  async ask(subject: string, payload: Uint8Array | string, count: number): Promise<Map<string, string>> {
    const inbox = createInbox(inboxPrefix(this.#role));
    const answers = new Map<string, string>();
    const subscription = this.nats.subscribe(`${inbox}.*`, { max: count, timeout: DEADLINE });
    const header = headers();
    header.set(ANSWER_TO, inbox);
    this.nats.publish(subject, payload, { reply: inbox, headers: header });
    for await (const message of subscription) answers.set(lastToken(message.subject), message.string());
    return answers;
  }

  /** Where answers to {@link send} come, under `<inbox>.*`. */
  get inbox(): string {
    return `${inboxPrefix(this.#role)}.attacker`;
  }

  /** Sends as a controller does, to a verb or as a bundle, and waits for nothing. */
  send(subject: string, payload: Uint8Array): void {
    const header = headers();
    header.set(ANSWER_TO, this.inbox);
    this.nats.publish(subject, payload, { reply: this.inbox, headers: header });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nats.close();
  }

  async #listen(): Promise<void> {
    for await (const status of this.nats.status()) {
      if (status.type !== 'error') continue;
      const { error } = status;
      if (!(error instanceof PermissionViolationError)) continue;
      this.#refused.push(`${error.operation} ${error.subject}`);
      this.#news.emit('refused');
    }
  }
}
