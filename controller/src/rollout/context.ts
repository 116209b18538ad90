import type { NatsConnection } from '@nats-io/transport-node';

import type { Subjects } from '../../../protocol/subjects.ts';
import type { Asked } from '../fleet/ask-nodes.ts';
import type { Audit } from '../store/audit.ts';
import type { StreamStore } from '../store/stream-store.ts';

/** What every step of a rollout needs. */
export interface RolloutContext {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly store: StreamStore;
  readonly audit: Pick<Audit, 'write'>;
  /** How long a node has to fetch packages, milliseconds. */
  readonly packagesTimeoutMs: number;
}

/** The nodes that should answer a step, and how long it waits for them. */
export interface Audience extends Asked {
  /** Those of them that it waits for; default: all. The others count as silent, unless they answer all the same. */
  readonly awaited?: ReadonlySet<string>;
  /** The nodes that are left out: what they answer does not count. */
  readonly without?: ReadonlySet<string>;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Called with each answer, to show progress. */
  readonly onAnswer?: (phase: string, answered: number, node: string) => void;
}
