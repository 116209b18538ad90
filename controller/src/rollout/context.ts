import type { NatsConnection } from '@nats-io/transport-node';

import type { Subjects } from '../../../protocol/subjects.ts';
import type { StreamStore } from '../store/stream-store.ts';

/** What every step of a rollout needs. */
export interface RolloutContext {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly store: StreamStore;
  /** How long a node has to fetch packages, milliseconds. */
  readonly packagesTimeoutMs: number;
}

/** The nodes that a step waits for, and how long. */
export interface Audience {
  readonly expected: ReadonlySet<string>;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Called with each answer, to show progress. */
  readonly onAnswer?: (phase: string, answered: number) => void;
}
