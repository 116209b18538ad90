import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import type { EventKind, Subjects } from '../../../protocol/subjects.ts';

/** Publishes that the node is present: at the start, and then every 2 seconds or as often as the controller requests. */
export class Heartbeat {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #describe: () => NodeDescription;
  #intervalMs = HEARTBEAT_INTERVAL;
  /** The time of the next heartbeat, and its timer; null before the first and after the last heartbeat. */
  #next: { readonly at: number; readonly timer: NodeJS.Timeout } | null = null;

  /** @param describe is called once for each heartbeat. */
  constructor(nats: NatsConnection, subjects: Subjects, describe: () => NodeDescription) {
    this.#nats = nats;
    this.#subjects = subjects;
    this.#describe = describe;
  }

  /** Publishes a heartbeat, and schedules the next one. */
  start(): void {
    this.#publish('heartbeat', { heartbeatInterval: this.#intervalMs });
    this.#schedule(this.#intervalMs);
  }

  /**
   * Changes the interval (milliseconds). Each heartbeat announces the next one. So a longer interval applies from the next
   * heartbeat. A shorter one applies now, from a random moment in it, because all nodes of the fleet change at once.
   */
  setInterval(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    if (this.#next !== null && this.#next.at - performance.now() > intervalMs)
      this.#schedule(Math.random() * intervalMs);
  }

  /** Publishes that the node leaves, and stops. */
  goodbye(): void {
    this.stop();
    this.#publish('goodbye');
  }

  stop(): void {
    if (this.#next !== null) clearTimeout(this.#next.timer);
    this.#next = null;
  }

  #schedule(waitMs: number): void {
    this.stop();
    this.#next = { at: performance.now() + waitMs, timer: setTimeout(() => this.start(), waitMs) };
  }

  #publish(kind: EventKind, more: Pick<NodeDescription, 'heartbeatInterval'> = {}): void {
    const description = this.#describe();
    this.#nats.publish(this.#subjects.event(description.node, kind), encode({ ...description, ...more }));
  }
}
