import { EventEmitter, once } from 'node:events';

import { connect, createInbox, headers, type NatsConnection, PermissionViolationError } from '@nats-io/transport-node';

import { ANSWER_TO, lastToken, PUSH_SIGNATURE } from '../../../protocol/subjects.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { inboxPrefix, nodeInbox, type Role } from '../../../protocol/inboxes.ts';

/** The name of a node whose address has no name in Docker's DNS: here this machine, with the attacker's connection name. */
export const UNKNOWN_NODE = 'node-012345x';

/** The timeout for an answer (milliseconds). */
const TIMEOUT_MS = 20_000;

/** A hostile NATS client with the credentials of a process of the cluster. */
export class Attacker implements AsyncDisposable {
  readonly nats: NatsConnection;
  readonly #role: Role;
  readonly #refused: string[] = [];
  readonly #events = new EventEmitter();

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
      inboxPrefix: role === 'node' ? nodeInbox(UNKNOWN_NODE) : inboxPrefix(role),
      name: 'hotcast-node 0123456789ab',
    });
    return new Attacker(nats, role);
  }

  /** Publishes and subscribes. Returns what NATS refused with a permissions violation: `publish <subject>`, … */
  async attempt(publish: readonly string[], subscribe: readonly string[], payload = '{}'): Promise<string[]> {
    this.#refused.length = 0;
    for (const subject of publish) this.nats.publish(subject, payload);
    const subscriptions = subscribe.map(subject => this.nats.subscribe(subject, { callback: () => undefined }));
    // No user may publish this. NATS reports violations in order, so this one is the last.
    const fence = 'the.end';
    this.nats.publish(fence);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    while (this.#refused.at(-1) !== `publish ${fence}`) await once(this.#events, 'refused', { signal });
    for (const subscription of subscriptions) if (!subscription.isClosed()) subscription.unsubscribe();
    return this.#refused.slice(0, -1);
  }

  /**
   * Sends a request or a bundle as a controller does. Returns the answers of this number of nodes, by name.
   *
   * @param push the signature of a push, for a bundle.
   * @throws TimeoutError when fewer nodes answer.
   */
  async request(
    subject: string,
    payload: Uint8Array | string,
    count: number,
    push?: string,
  ): Promise<Map<string, string>> {
    const inbox = createInbox(inboxPrefix(this.#role));
    const answers = new Map<string, string>();
    const subscription = this.nats.subscribe(`${inbox}.*`, { max: count, timeout: TIMEOUT_MS });
    const header = headers();
    header.set(ANSWER_TO, inbox);
    if (push !== undefined) header.set(PUSH_SIGNATURE, push);
    this.nats.publish(subject, payload, { reply: inbox, headers: header });
    for await (const message of subscription) answers.set(lastToken(message.subject), message.string());
    return answers;
  }

  /** Answers to {@link send} arrive on `<inbox>.*`. */
  get inbox(): string {
    return `${inboxPrefix(this.#role)}.attacker`;
  }

  /** Sends a request or a bundle as a controller does, without waiting for answers. */
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
      this.#events.emit('refused');
    }
  }
}
