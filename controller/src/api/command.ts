import type { Diagnostic } from './diagnostic.ts';
import type { CanaryRequest } from '../commands/push.ts';
import type { Result } from './results.ts';

/** A command as the command line sends it. Times are milliseconds. */
export type Command = { readonly cookie: string | null; readonly timeoutMs: number } & (
  | {
      readonly type: 'push';
      readonly modules: readonly string[];
      readonly author: string;
      readonly force: boolean;
      readonly check: boolean;
      /** Stop before the commit, and tell what would come of it. */
      readonly dryRun: boolean;
      readonly canary: CanaryRequest | null;
    }
  | {
      readonly type: 'rollback';
      readonly modules: readonly string[];
      readonly author: string;
      readonly to: string | null;
    }
  | { readonly type: 'promote' | 'remove'; readonly modules: readonly string[]; readonly author: string }
  | { readonly type: 'compile'; readonly module: string; readonly node: string; readonly check: boolean }
  | { readonly type: 'call'; readonly call: string; readonly node: string | null; readonly stack: boolean }
  | { readonly type: 'purge'; readonly module: string; readonly force: boolean }
  | { readonly type: 'ping'; readonly node: string | null }
  | { readonly type: 'nodes'; readonly wait: number | null }
  | { readonly type: 'status' }
  | { readonly type: 'history'; readonly module: string }
  | { readonly type: 'keys rotate'; readonly overlap: number }
);

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

/** Tells the command line how far a command is. */
export type OnReport = (report: Report) => void;
