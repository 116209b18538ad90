import type { Head } from '../../../protocol/head.ts';
import type { CallAnswer, NodeDescription, PurgeAnswer, RefusalReason } from '../../../protocol/messages.ts';
import type { HeadResult } from '../../../protocol/head-result.ts';

export interface Refusal {
  readonly node: string;
  readonly status: 'refused';
  readonly reason: RefusalReason | 'malformed';
  readonly detail: string;
}

/** What a node made of a push; `ms` since the push was sent. `kept`: it is outside the canary and changed nothing. */
export type NodeOutcome =
  | { readonly node: string; readonly status: 'loaded'; readonly ms: number }
  | { readonly node: string; readonly status: 'kept' }
  | Refusal
  | Silent;

export interface Silent {
  readonly node: string;
  readonly status: 'silent';
}

/**
 * `committed`: the heads were written and stand. `refused`: nothing changed anywhere. `reverted`: a node refused after
 * the commit, so new heads point back. `overtaken`: another controller was faster, nothing of ours changed.
 * `unanswered`: every node was silent, nothing changed. `rolled-back`: the canary failed, so new heads point back.
 */
export type PushOutcome = 'committed' | 'refused' | 'reverted' | 'overtaken' | 'unanswered' | 'rolled-back';

export interface PushResult {
  readonly command: 'push';
  readonly modules: readonly { readonly module: string; readonly revision: string }[];
  readonly outcome: PushOutcome;
  /** One line that says more about the outcome; empty when there is nothing to say. */
  readonly detail: string;
  readonly nodes: readonly NodeOutcome[];
  /**
   * How long the parts took: to compile, to have it prepared everywhere, to have the head in the stream, to have it obeyed
   * everywhere; and the time from the first node's switch to the last one's. Milliseconds.
   */
  readonly times: {
    readonly compile: number;
    readonly prepare: number;
    readonly write: number;
    readonly commit: number;
    readonly skew: number;
  };
}

/** What came of a head that was changed without a bundle: see PushResult. */
export interface HeadChangeResult {
  readonly command: 'rollback' | 'promote' | 'remove';
  readonly modules: readonly { readonly module: string; readonly revision: string | null }[];
  readonly outcome: PushOutcome;
  readonly detail: string;
  readonly nodes: readonly NodeOutcome[];
  readonly times: { readonly write: number; readonly commit: number; readonly skew: number };
}

export type DryRunNode =
  | { readonly node: string; readonly status: 'would_load' }
  | { readonly node: string; readonly status: 'not_tried'; readonly detail: string }
  | Refusal
  | Silent;

/** What every node would make of a push: a dry run. */
export interface DryRunResult {
  readonly command: 'dry-run';
  readonly modules: readonly { readonly module: string; readonly revision: string }[];
  readonly nodes: readonly DryRunNode[];
}

export interface CompileResult {
  readonly command: 'compile';
  readonly module: string;
  readonly revision: string;
  readonly nodes: readonly NodeOutcome[];
}

export interface CallResult {
  readonly command: 'call';
  readonly call: string;
  /** Whether one node was named. */
  readonly single: boolean;
  /** Whether stacks were asked for. */
  readonly stack: boolean;
  readonly nodes: readonly (CallAnswer | Silent)[];
}

export interface PurgeResult {
  readonly command: 'purge';
  readonly nodes: readonly (PurgeAnswer | Silent)[];
}

export interface PingResult {
  readonly command: 'ping';
  readonly nodes: readonly ({ readonly node: string; readonly status: 'pong'; readonly ms: number } | Silent)[];
}

export interface NodesResult {
  readonly command: 'nodes';
  readonly nodes: readonly (
    ({ readonly status: 'present' } & NodeDescription) | (Silent & { readonly container: string })
  )[];
}

/**
 * `ok`: it runs what it should. `refused`: it could not obey the head, `detail` says why. `here only`: it was loaded by
 * `compile`, no head says so.
 */
export interface StatusRow {
  readonly module: string;
  readonly node: string;
  readonly desired: string | null;
  readonly running: string | null;
  /** Whether the desired revision is a canary's. */
  readonly canary: boolean;
  readonly state: 'ok' | 'behind' | 'refused' | 'here only' | 'silent';
  readonly detail?: string;
}

export interface StatusResult {
  readonly command: 'status';
  readonly heads: readonly Head[];
  readonly nodes: readonly StatusRow[];
}

export interface HistoryResult {
  readonly command: 'history';
  readonly module: string;
  /** Newest first; a null outcome was not written (yet). */
  readonly heads: readonly (Head & { readonly outcome: HeadResult | null })[];
}

export interface RotateResult {
  readonly command: 'keys rotate';
  /** The id of the key that seals from now on. */
  readonly key: string;
  /** The keys before are trusted until then, milliseconds since 1970. */
  readonly until: number;
  /** How many records of the stream were sealed again. */
  readonly resealed: number;
}

export type Result =
  | PushResult
  | HeadChangeResult
  | DryRunResult
  | CompileResult
  | CallResult
  | PurgeResult
  | PingResult
  | NodesResult
  | StatusResult
  | HistoryResult
  | RotateResult;

/**
 * The exit status of a command that reached its result: 0 all well; 1 somebody refused, a call failed, or a node is not
 * on its head; 3 somebody who should have answered was silent. (2, wrong use or nothing sent, never has a result.)
 */
export function exitStatus(result: Result): 0 | 1 | 3 {
  switch (result.command) {
    case 'history':
    case 'keys rotate':
      return 0;
    case 'status':
      return result.nodes.every(({ state }) => state === 'ok') ? 0 : 1;
    case 'push':
    case 'rollback':
    case 'promote':
    case 'remove':
      if (result.outcome !== 'committed') return result.outcome === 'unanswered' ? 3 : 1;
      return statusOfNodes(result.nodes);
    case 'dry-run':
    case 'purge':
    case 'compile':
    case 'call':
    case 'ping':
    case 'nodes':
      return statusOfNodes(result.nodes);
    default: {
      const check: never = result;
      return check;
    }
  }
}

function statusOfNodes(nodes: readonly { readonly status: string }[]): 0 | 1 | 3 {
  const statuses = new Set(nodes.map(({ status }) => status));
  if (statuses.has('refused') || statuses.has('error') || statuses.has('busy') || statuses.has('not_tried')) return 1;
  return statuses.has('silent') ? 3 : 0;
}
