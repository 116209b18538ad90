import type { AuditEntry } from '../../../../../protocol/history/audit-entry.ts';
import type { HeadResult } from '../../../../../protocol/history/head-result.ts';
import type { Head } from '../../../../../protocol/head.ts';
import type { NodeDescription, RejectedEvent, RosterAnswer } from '../../../../../protocol/messages.ts';
import type { Progress } from '../../../../../protocol/history/progress.ts';

/** A node has said what it is. */
export interface Heard {
  readonly at: number;
  readonly type: 'heartbeat' | 'goodbye' | 'stalled';
  readonly description: NodeDescription;
}

/** Something that the console has heard. `at`: when, milliseconds since 1970. */
export type Fact =
  | Heard
  | ({ readonly at: number } & (
      | { readonly type: 'rejected'; readonly event: RejectedEvent }
      /** A node of another release: what it says is not read. */
      | { readonly type: 'foreign'; readonly node: string; readonly protocol: number }
      /** The controller is there. */
      | { readonly type: 'digest' }
      /** The newest heads of modules, as they were read or have just been written. */
      | { readonly type: 'heads'; readonly heads: readonly Head[] }
      | { readonly type: 'head-results'; readonly results: readonly HeadResult[] }
      /** Entries of the audit, in any order. */
      | { readonly type: 'audit'; readonly entries: readonly AuditEntry[] }
      | { readonly type: 'progress'; readonly progress: Progress }
      | { readonly type: 'roster'; readonly answer: RosterAnswer }
      | { readonly type: 'storage'; readonly bytes: number; readonly maxBytes: number }
      /** The console has, or has lost, its connection to NATS. */
      | { readonly type: 'link'; readonly isUp: boolean }
      /** Time has passed. */
      | { readonly type: 'tick' }
    ));
