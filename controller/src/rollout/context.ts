import type { NatsConnection } from '@nats-io/transport-node';

import type { Head } from '../../../protocol/head.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import type { NodeOutcome } from '../api/results.ts';
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
  /** Traces a change that the controller makes by itself: `rollback (canary)`, for example. Default: none are traced. */
  readonly trace?: (command: string, heads: readonly Head[], detail: string) => ChangeTrace;
}

/**
 * What came of heads: see PushResult. `overtaken`: a node refused, and another controller has replaced the heads meanwhile.
 * `ms`: until every node had answered; `skew`: from the first node's word that it has switched to the last one's, milliseconds.
 */
export interface Commit {
  readonly outcome: 'committed' | 'reverted' | 'overtaken';
  readonly detail: string;
  readonly nodes: readonly NodeOutcome[];
  readonly ms: number;
  readonly skew: number;
}

/** The trace of a change that runs. */
export interface ChangeTrace {
  /** A node has answered in a phase. */
  readonly onAnswer: (phase: string, node: string) => void;
  /** What came of it, or why that is not known. */
  readonly end: (commit: Commit | Error) => void;
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
