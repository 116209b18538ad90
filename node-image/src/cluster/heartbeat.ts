import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import type { EventKind, Subjects } from '../../../protocol/subjects.ts';
import { resetLoopDelay } from './node-description.ts';

/** Tells at once, and every 2 seconds from then on or as the controller asks for, that the node is there. */
export class Heartbeat {
  readonly #nats: NatsConnection;
  readonly #subjects: Subjects;
  readonly #describe: () => NodeDescription;
  #every = HEARTBEAT_INTERVAL;
  /** The time of the next event, and what will send it; null before the first and after the last. */
  #next: { readonly at: number; readonly timer: NodeJS.Timeout } | null = null;

  constructor(nats: NatsConnection, subjects: Subjects, describe: () => NodeDescription) {
    this.#nats = nats;
    this.#subjects = subjects;
    this.#describe = describe;
  }

  start(): void {
    this.#turn();
  }

  /**
   * Has it told so often (milliseconds). Each event says when the next one comes, so a longer time begins with the next;
   * a shorter one begins within itself, at a random moment: all nodes of the fleet hear this at once.
   */
  setInterval(every: number): void {
    this.#every = every;
    if (this.#next !== null && this.#next.at - performance.now() > every) this.#schedule(Math.random() * every);
  }

  /** Tells, as the last thing, that the node goes. */
  goodbye(): void {
    if (this.#next !== null) clearTimeout(this.#next.timer);
    this.#next = null;
    this.#tell('goodbye');
  }

  #turn(): void {
    this.#tell('heartbeat', { heartbeatInterval: this.#every });
    resetLoopDelay();
    this.#schedule(this.#every);
  }

  #schedule(wait: number): void {
    if (this.#next !== null) clearTimeout(this.#next.timer);
    this.#next = { at: performance.now() + wait, timer: setTimeout(() => this.#turn(), wait) };
  }

  #tell(kind: EventKind, more: Pick<NodeDescription, 'heartbeatInterval'> = {}): void {
    const description = this.#describe();
    this.#nats.publish(this.#subjects.event(description.node, kind), encode({ ...description, ...more }));
  }
}
