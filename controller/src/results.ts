import type { CallAnswer, NodeDescription, RefusalReason } from '../../protocol/messages.ts';
import type { Diagnostic } from './compile.ts';

/** What a node made of a push; `ms` since the push was sent. */
export type NodeOutcome =
  | { readonly node: string; readonly status: 'loaded'; readonly ms: number }
  | {
      readonly node: string;
      readonly status: 'refused';
      readonly reason: RefusalReason | 'malformed';
      readonly detail: string;
    }
  | { readonly node: string; readonly status: 'silent' };

/** How long the parts of a push took, milliseconds. */
export interface PushTimes {
  readonly compile: number;
  readonly prepare: number;
  readonly commit: number;
  /** From the first node's switch to the last one's, by the nodes' clocks. */
  readonly skew: number;
}

export interface PushResult {
  readonly command: 'push';
  readonly module: string;
  readonly revision: string;
  /**
   * `committed`: the head was written and stands. `refused`: nothing changed anywhere. `reverted`: a node refused
   * after the commit, so a new head points back. `overtaken`: another controller was faster, nothing changed.
   * `unanswered`: every node was silent, nothing changed.
   */
  readonly outcome: 'committed' | 'refused' | 'reverted' | 'overtaken' | 'unanswered';
  /** One line that says more about the outcome; empty when there is nothing to say. */
  readonly detail: string;
  readonly nodes: readonly NodeOutcome[];
  readonly times: PushTimes;
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
  readonly nodes: readonly (CallAnswer | Silent)[];
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

export interface Silent {
  readonly node: string;
  readonly status: 'silent';
}

export type Result = PushResult | CompileResult | CallResult | PingResult | NodesResult;

/** What the controller tells the command line while a command runs; `result` or `failed` is the last. */
export type Report =
  | { readonly type: 'progress'; readonly phase: string; readonly answered: number; readonly expected: number }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'result'; readonly result: Result }
  | {
      readonly type: 'failed';
      readonly code: string;
      readonly message: string;
      readonly diagnostics?: readonly Diagnostic[];
    };

/** A command as the command line sends it. Times are milliseconds. */
export type Command = { readonly cookie: string | null; readonly patience: number } & (
  | { readonly type: 'push'; readonly module: string; readonly author: string }
  | { readonly type: 'compile'; readonly module: string; readonly node: string }
  | { readonly type: 'call'; readonly call: string; readonly node: string | null }
  | { readonly type: 'ping'; readonly node: string | null }
  | { readonly type: 'nodes'; readonly wait: number | null }
);

/**
 * The exit status of a command that reached its result: 0 all well; 1 somebody refused, or a call failed; 3 somebody
 * who should have answered was silent. (2, wrong use or nothing sent, never has a result.)
 */
export function exitStatus(result: Result): 0 | 1 | 3 {
  if (result.command === 'push' && result.outcome !== 'committed') return result.outcome === 'unanswered' ? 3 : 1;
  const statuses = new Set<string>(result.nodes.map(({ status }) => status));
  if (statuses.has('refused') || statuses.has('error')) return 1;
  return statuses.has('silent') ? 3 : 0;
}
