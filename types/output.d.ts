// Written by `make docs` from controller/src/api/results.ts and report.ts.
/* oxlint-disable max-lines -- It is one union. */

/** A line that `hotcast … --json` prints. */
export type Output =
  | (
      | PushResult
      | HeadChangeResult
      | DryRunResult
      | CompileResult
      | CallResult
      | PurgeResult
      | ErrorsResult
      | EvaluateResult
      | SessionResult
      | ExportsResult
      | PingResult
      | NodesResult
      | NamesResult
      | VersionResult
      | DoctorResult
      | StatusResult
      | BansResult
      | HistoryResult
      | AuditResult
      | EventsResult
      | ResultResult
      | OperatorAddResult
      | OperatorRevokeResult
      | OperatorListResult
      | KeysRotateResult
      | KeysRevokeResult
    )
  | { readonly failed: Failed }
  | { readonly saved: Saved }
  | {
      readonly logged: {
        readonly at: number;
        readonly module: string;
        readonly revision: string;
        readonly level: 'info' | 'warn' | 'error';
        readonly text: string;
        readonly call?: { readonly id: string; readonly line: number };
        readonly nodes: readonly string[];
        readonly count: number;
      };
    }
  | { readonly dropped: number }
  | { readonly event: Event };

/** The result of push: compile modules and load them on every node, together. */
export type PushResult = {
  readonly command: 'push';
  readonly modules: readonly { readonly module: string; readonly revision: string }[];
  readonly unchanged: readonly string[];
  readonly affected: readonly { readonly module: string; readonly files: readonly string[] }[];
  readonly outcome:
    | 'committed'
    | 'unchanged'
    | 'refused'
    | 'reverted'
    | 'overtaken'
    | 'unanswered'
    | 'rolled-back'
    | 'undecided'
    | 'superseded';
  readonly detail: string;
  readonly nodes: readonly (
    | {
        readonly node: string;
        readonly status: 'loaded';
        readonly ms: number;
        readonly waitedMs?: number;
        readonly warnings?: readonly string[];
        readonly removed?: true;
      }
    | { readonly node: string; readonly status: 'kept'; readonly detail?: string }
    | {
        readonly node: string;
        readonly status: 'refused';
        readonly reason:
          | 'badfile'
          | 'nofile'
          | 'on_load_failure'
          | 'not_purged'
          | 'outdated'
          | 'banned'
          | 'system_limit'
          | 'malformed';
        readonly detail: string;
      }
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
  readonly times: {
    readonly compile: number;
    readonly prepare: number;
    readonly write: number;
    readonly commit: number;
    readonly skew: number;
  };
};

/** The result of rollback, promote, remove, restore, lift, repair. */
export type HeadChangeResult = {
  readonly command: 'rollback' | 'promote' | 'remove' | 'restore' | 'lift' | 'repair';
  readonly modules: readonly { readonly module: string; readonly revision: string | null }[];
  readonly outcome:
    | 'committed'
    | 'unchanged'
    | 'refused'
    | 'reverted'
    | 'overtaken'
    | 'unanswered'
    | 'rolled-back'
    | 'undecided'
    | 'superseded';
  readonly detail: string;
  readonly nodes: readonly (
    | {
        readonly node: string;
        readonly status: 'loaded';
        readonly ms: number;
        readonly waitedMs?: number;
        readonly warnings?: readonly string[];
        readonly removed?: true;
      }
    | { readonly node: string; readonly status: 'kept'; readonly detail?: string }
    | {
        readonly node: string;
        readonly status: 'refused';
        readonly reason:
          | 'badfile'
          | 'nofile'
          | 'on_load_failure'
          | 'not_purged'
          | 'outdated'
          | 'banned'
          | 'system_limit'
          | 'malformed';
        readonly detail: string;
      }
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
  readonly times: { readonly write: number; readonly commit: number; readonly skew: number };
};

/** The result of dry-run. */
export type DryRunResult = {
  readonly command: 'dry-run';
  readonly modules: readonly { readonly module: string; readonly revision: string }[];
  readonly nodes: readonly (
    | { readonly node: string; readonly status: 'would_load' }
    | { readonly node: string; readonly status: 'not_tried'; readonly detail: string }
    | {
        readonly node: string;
        readonly status: 'refused';
        readonly reason:
          | 'badfile'
          | 'nofile'
          | 'on_load_failure'
          | 'not_purged'
          | 'outdated'
          | 'banned'
          | 'system_limit'
          | 'malformed';
        readonly detail: string;
      }
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
};

/** The result of compile: compile a module and load it on one node. */
export type CompileResult = {
  readonly command: 'compile';
  readonly module: string;
  readonly revision: string;
  readonly nodes: readonly (
    | {
        readonly node: string;
        readonly status: 'loaded';
        readonly ms: number;
        readonly waitedMs?: number;
        readonly warnings?: readonly string[];
        readonly removed?: true;
      }
    | { readonly node: string; readonly status: 'kept'; readonly detail?: string }
    | {
        readonly node: string;
        readonly status: 'refused';
        readonly reason:
          | 'badfile'
          | 'nofile'
          | 'on_load_failure'
          | 'not_purged'
          | 'outdated'
          | 'banned'
          | 'system_limit'
          | 'malformed';
        readonly detail: string;
      }
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
};

/** The result of call: call an exported function on every node; its arguments are literals of JavaScript. */
export type CallResult = {
  readonly command: 'call';
  readonly call: string;
  readonly single: boolean;
  readonly stack: boolean;
  readonly nodes: readonly (
    | (
        | {
            readonly status: 'value';
            readonly node: string;
            readonly json?: string;
            readonly revision: string;
            readonly output: readonly string[];
          }
        | {
            readonly status: 'error';
            readonly node: string;
            readonly failure: 'undef' | 'exception' | 'badvalue';
            readonly type: string;
            readonly message: string;
            readonly code?: string | number;
            readonly stack?: string;
            readonly cause?: ErrorDescription;
            readonly errors?: readonly ErrorDescription[];
            readonly output: readonly string[];
          }
      )
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
};

/** The result of purge: purge the draining versions of a module, even if calls run on them. */
export type PurgeResult = {
  readonly command: 'purge';
  readonly nodes: readonly (
    | (
        | { readonly status: 'purged'; readonly node: string; readonly failedCalls?: number }
        | {
            readonly status: 'busy';
            readonly node: string;
            readonly calls: number;
            readonly draining: readonly {
              readonly module: string;
              readonly revision: string;
              readonly since: number;
              readonly ageMs?: number;
              readonly inFlight: number;
              readonly heldBy: string;
            }[];
          }
      )
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
};

/** The result of errors: show the last ten errors of each revision of a module, as nodes remember them; equal ones are one. */
export type ErrorsResult = {
  readonly command: 'errors';
  readonly module: string;
  readonly nodes: readonly (
    | {
        readonly status: 'answered';
        readonly node: string;
        readonly revisions: readonly {
          readonly revision: string;
          readonly errors: readonly {
            readonly at: number;
            readonly count: number;
            readonly where: string;
            readonly error: ErrorDescription;
          }[];
        }[];
      }
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
};

/** The result of evaluate. */
export type EvaluateResult = {
  readonly command: 'evaluate';
  readonly names: readonly string[];
  readonly nodes: readonly (
    | (
        | {
            readonly status: 'value';
            readonly node: string;
            readonly json?: string;
            readonly revision: string;
            readonly output: readonly string[];
          }
        | {
            readonly status: 'error';
            readonly node: string;
            readonly failure: 'undef' | 'exception' | 'badvalue';
            readonly type: string;
            readonly message: string;
            readonly code?: string | number;
            readonly stack?: string;
            readonly cause?: ErrorDescription;
            readonly errors?: readonly ErrorDescription[];
            readonly output: readonly string[];
          }
      )
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
};

/** The result of session. */
export type SessionResult = {
  readonly command: 'session';
  readonly nodes: readonly { readonly node: string; readonly status: 'silent'; readonly detail?: string }[];
};

/** The result of exports. */
export type ExportsResult = {
  readonly command: 'exports';
  readonly sources: readonly string[];
  readonly nodes: readonly (
    | {
        readonly status: 'present';
        readonly node: string;
        readonly modules: Readonly<
          Record<
            string,
            {
              readonly revision: string;
              readonly sequence: number;
              readonly loadedAt: number;
              readonly exports: readonly { readonly name: string; readonly arity: number | null }[];
            }
          >
        >;
        readonly draining: readonly {
          readonly module: string;
          readonly revision: string;
          readonly since: number;
          readonly ageMs?: number;
          readonly inFlight: number;
          readonly heldBy: string;
        }[];
      }
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
};

/** The result of ping: check that one node, or every node, answers. */
export type PingResult = {
  readonly command: 'ping';
  readonly nodes: readonly (
    | { readonly node: string; readonly status: 'pong'; readonly ms: number }
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
};

/** The result of nodes: list the nodes with their processes and modules. */
export type NodesResult = {
  readonly command: 'nodes';
  readonly controllerClockOffsetMs?: number;
  readonly nodes: readonly (
    | {
        readonly status: 'present';
        readonly node: string;
        readonly protocol: number;
        readonly container: string;
        readonly group: string;
        readonly version?: string;
        readonly pid: number;
        readonly startedAt: number;
        readonly uptimeSeconds: number;
        readonly clock?: number;
        readonly memoryBytes: number;
        readonly modules: Readonly<
          Record<
            string,
            {
              readonly revision: string;
              readonly sequence: number;
              readonly calls: number;
              readonly errors: number;
              readonly requests?: number;
              readonly inFlight: number;
            }
          >
        >;
        readonly draining: readonly {
          readonly module: string;
          readonly revision: string;
          readonly since: number;
          readonly ageMs?: number;
          readonly inFlight: number;
          readonly heldBy: string;
        }[];
        readonly refusals: Readonly<
          Record<
            string,
            {
              readonly sequence: number;
              readonly reason:
                'badfile' | 'nofile' | 'on_load_failure' | 'not_purged' | 'outdated' | 'banned' | 'system_limit';
              readonly cause?: 'stalled' | 'memory';
              readonly detail: string;
              readonly attempts?: number;
              readonly nextAttemptInMs?: number;
            }
          >
        >;
        readonly unreadable?: Readonly<Record<string, string>>;
        readonly leftBehind?: Readonly<Record<string, { readonly timers: number; readonly sockets: number }>>;
        readonly owned?: Readonly<Record<string, { readonly timers: number; readonly sockets: number }>>;
        readonly loopDelay: number;
        readonly rejected: number;
        readonly debugged?: boolean;
        readonly heartbeatInterval?: number;
        readonly leavesWithinMs?: number;
        readonly hasEnded?: boolean;
        readonly machine?: string;
        readonly keptOff?: readonly {
          readonly module: string;
          readonly revision: string;
          readonly cause: 'operator' | 'stalled' | 'memory';
        }[];
        readonly clockOffsetMs?: number;
      }
    | {
        readonly node: string;
        readonly status: 'silent';
        readonly detail?: string;
        readonly container: string;
        readonly group: string;
        readonly machine?: string;
      }
  )[];
};

/** The result of names. */
export type NamesResult = { readonly command: 'names'; readonly names: readonly string[] };

/** The result of version: show the versions of Hotcast: of this command line, the controller and every node. */
export type VersionResult = {
  readonly command: 'version';
  readonly cli: string;
  readonly controller: string | null;
  readonly nodes: readonly (
    | { readonly node: string; readonly status: 'present'; readonly version: string | null }
    | { readonly node: string; readonly status: 'silent'; readonly detail?: string }
  )[];
};

/** The result of doctor: check what an operator looks at first; each line says what helps. */
export type DoctorResult = {
  readonly command: 'doctor';
  readonly checks: readonly {
    readonly check: string;
    readonly state: 'ok' | 'warning' | 'wrong';
    readonly detail: string;
    readonly help?: string;
  }[];
};

/** The result of status: compare what should run with what runs; the exit status is 1 if they differ, and 3 if only silent nodes are left. */
export type StatusResult = {
  readonly command: 'status';
  readonly heads: readonly {
    readonly module: string;
    readonly revision: string | null;
    readonly manifest: {
      readonly exports: readonly string[];
      readonly imports: Readonly<Record<string, readonly string[]>>;
      readonly sources: Readonly<Record<string, string>>;
      readonly packages?: {
        readonly hash: string;
        readonly versions: Readonly<Record<string, string>>;
        readonly bytes: number;
      };
    } | null;
    readonly canary: {
      readonly revision: string;
      readonly manifest: {
        readonly exports: readonly string[];
        readonly imports: Readonly<Record<string, readonly string[]>>;
        readonly sources: Readonly<Record<string, string>>;
        readonly packages?: {
          readonly hash: string;
          readonly versions: Readonly<Record<string, string>>;
          readonly bytes: number;
        };
      } | null;
      readonly scope:
        | { readonly type: 'names'; readonly names: readonly string[] }
        | {
            readonly type: 'share';
            readonly upTo: number;
            readonly of?: { readonly names: readonly string[]; readonly first: boolean };
          };
      readonly maxErrors: number;
    } | null;
    readonly groups?: { readonly names: readonly string[]; readonly first: boolean };
    readonly movedFrom?: { readonly names: readonly string[]; readonly first: boolean } | null;
    readonly force: boolean;
    readonly makeRoom: boolean;
    readonly sequence: number;
    readonly stateSince: number;
    readonly push: string;
    readonly revertOf: string | null;
    readonly cause: ('operator' | 'refused' | 'canary' | 'watchdog') | null;
    readonly keptOff: readonly {
      readonly node: string;
      readonly revision: string;
      readonly instead: string | null;
      readonly cause: 'operator' | 'stalled' | 'memory';
      readonly detail: string;
      readonly at: number;
    }[];
    readonly quarantine: boolean;
    readonly repeats: boolean;
    readonly author: string;
    readonly at: number;
    readonly note: string;
    readonly message?: string;
    readonly git?: { readonly commit: string; readonly dirty: boolean };
  }[];
  readonly nodes: readonly {
    readonly module: string;
    readonly node: string;
    readonly desired: string | null;
    readonly running: string | null;
    readonly canary: boolean;
    readonly state: 'ok' | 'behind' | 'refused' | 'quarantined' | 'left out' | 'here only' | 'silent';
    readonly detail?: string;
    readonly errors: number;
    readonly attempts?: number;
    readonly nextAttemptInMs?: number;
    readonly draining: readonly {
      readonly module: string;
      readonly revision: string;
      readonly since: number;
      readonly ageMs?: number;
      readonly inFlight: number;
      readonly heldBy: string;
    }[];
  }[];
  readonly changed: readonly { readonly module: string; readonly files: readonly string[] }[];
  readonly silent: readonly string[];
  readonly unreadable?: readonly string[];
  readonly storage?: {
    readonly usedBytes: number;
    readonly maxBytes: number;
    readonly disk: { readonly usedBytes: number; readonly freeBytes: number } | null;
    readonly fault: string | null;
  };
};

/** The result of bans: list the nodes that are kept off revisions: those that these brought down, and those that a push left out. */
export type BansResult = {
  readonly command: 'bans';
  readonly bans: readonly {
    readonly module: string;
    readonly node: string;
    readonly revision: string;
    readonly instead: string | null;
    readonly cause: 'operator' | 'stalled' | 'memory';
    readonly detail: string;
    readonly at: number;
    readonly isCurrent: boolean;
  }[];
};

/** The result of history: list the heads of a module, or of all modules, newest first: who pushed what, why, and what came of it. */
export type HistoryResult = {
  readonly command: 'history';
  readonly module: string | null;
  readonly heads: readonly {
    readonly module: string;
    readonly revision: string | null;
    readonly manifest: {
      readonly exports: readonly string[];
      readonly imports: Readonly<Record<string, readonly string[]>>;
      readonly sources: Readonly<Record<string, string>>;
      readonly packages?: {
        readonly hash: string;
        readonly versions: Readonly<Record<string, string>>;
        readonly bytes: number;
      };
    } | null;
    readonly canary: {
      readonly revision: string;
      readonly manifest: {
        readonly exports: readonly string[];
        readonly imports: Readonly<Record<string, readonly string[]>>;
        readonly sources: Readonly<Record<string, string>>;
        readonly packages?: {
          readonly hash: string;
          readonly versions: Readonly<Record<string, string>>;
          readonly bytes: number;
        };
      } | null;
      readonly scope:
        | { readonly type: 'names'; readonly names: readonly string[] }
        | {
            readonly type: 'share';
            readonly upTo: number;
            readonly of?: { readonly names: readonly string[]; readonly first: boolean };
          };
      readonly maxErrors: number;
    } | null;
    readonly groups?: { readonly names: readonly string[]; readonly first: boolean };
    readonly movedFrom?: { readonly names: readonly string[]; readonly first: boolean } | null;
    readonly force: boolean;
    readonly makeRoom: boolean;
    readonly sequence: number;
    readonly stateSince: number;
    readonly push: string;
    readonly revertOf: string | null;
    readonly cause: ('operator' | 'refused' | 'canary' | 'watchdog') | null;
    readonly keptOff: readonly {
      readonly node: string;
      readonly revision: string;
      readonly instead: string | null;
      readonly cause: 'operator' | 'stalled' | 'memory';
      readonly detail: string;
      readonly at: number;
    }[];
    readonly quarantine: boolean;
    readonly repeats: boolean;
    readonly author: string;
    readonly at: number;
    readonly note: string;
    readonly message?: string;
    readonly git?: { readonly commit: string; readonly dirty: boolean };
    readonly outcome: {
      readonly module: string;
      readonly sequence: number;
      readonly verdict: 'committed' | 'reverted';
      readonly loaded: number;
      readonly refused: number;
      readonly silent: number;
    } | null;
    readonly later: readonly {
      readonly module: string;
      readonly sequence: number;
      readonly verdict: 'committed' | 'reverted';
      readonly loaded: number;
      readonly refused: number;
      readonly silent: number;
    }[];
  }[];
};

/** The result of audit: list what was done to the cluster, newest first, also what was refused, failed or automatic. */
export type AuditResult = {
  readonly command: 'audit';
  readonly entries: readonly {
    readonly at: number;
    readonly change: string | null;
    readonly author: string;
    readonly command: string;
    readonly modules: readonly { readonly module: string; readonly revision: string | null }[];
    readonly outcome: string;
    readonly detail: string;
    readonly canary?: string;
    readonly message?: string;
    readonly git?: { readonly commit: string; readonly dirty: boolean };
  }[];
};

/** The result of events: print what was done to the cluster, and the nodes that came and went, oldest first. */
export type EventsResult = { readonly command: 'events'; readonly position: number };

/** The result of result: look up what came of a change whose result was lost: its id, and its modules if they changed since. */
export type ResultResult = {
  readonly command: 'result';
  readonly change: string;
  readonly outcome: 'committed' | 'reverted' | 'unfinished' | 'none';
  readonly modules: readonly { readonly module: string; readonly revision: string | null; readonly canary: boolean }[];
  readonly loaded: number;
  readonly refused: number;
  readonly silent: number;
};

/** The result of operator add. */
export type OperatorAddResult = {
  readonly command: 'operator add';
  readonly credentials: {
    readonly cookie: string;
    readonly name: string;
    readonly url: string;
    readonly seed: string;
    readonly authority: string | null;
    readonly expiresAt: number | null;
  };
  readonly may: readonly ('logs' | 'call' | 'push' | 'rollback' | 'remove' | 'purge' | 'repair')[];
};

/** The result of operator revoke. */
export type OperatorRevokeResult = { readonly command: 'operator revoke'; readonly name: string };

/** The result of operator list. */
export type OperatorListResult = {
  readonly command: 'operator list';
  readonly operators: readonly {
    readonly name: string;
    readonly key: string;
    readonly may: readonly ('logs' | 'call' | 'push' | 'rollback' | 'remove' | 'purge' | 'repair')[];
    readonly addedBy: string;
    readonly addedAt: number;
    readonly expiresAt: number | null;
    readonly revokedAt: number | null;
  }[];
};

/** The result of keys rotate. */
export type KeysRotateResult = {
  readonly command: 'keys rotate';
  readonly key: string;
  readonly previous: readonly string[];
  readonly until: number;
  readonly resealed: number;
};

/** The result of keys revoke. */
export type KeysRevokeResult = { readonly command: 'keys revoke'; readonly key: string };

/** An error of the compiler or the type checker. */
export type Diagnostic = {
  readonly text: string;
  readonly file: string | null;
  readonly line: number;
  readonly column: number;
  readonly source: string;
  readonly length: number;
};

/** A command that has no result, and why. */
export type Failed = {
  readonly type: 'failed';
  readonly code: string;
  readonly message: string;
  readonly diagnostics?: readonly Diagnostic[];
};

/** What was done to the cluster, or a node that has come or gone. */
export type Event =
  | {
      readonly kind: 'change';
      readonly position: number;
      readonly at: number;
      readonly change: string | null;
      readonly author: string;
      readonly command: string;
      readonly modules: readonly { readonly module: string; readonly revision: string | null }[];
      readonly outcome: string;
      readonly detail: string;
      readonly canary?: string;
      readonly message?: string;
      readonly git?: { readonly commit: string; readonly dirty: boolean };
      readonly cause?: 'operator' | 'canary' | 'watchdog';
    }
  | {
      readonly kind: 'node';
      readonly position: number;
      readonly at: number;
      readonly node: string;
      readonly container: string;
      readonly startedAt: number;
      readonly change: 'started' | 'stopped' | 'silent' | 'back';
      readonly detail: string;
    };

/** What became of a save, while dev watches the modules folder. */
export type Saved = {
  readonly type: 'saved';
  readonly at: number;
  readonly ms: number;
  readonly saved: readonly string[];
  readonly result: PushResult | null;
  readonly problem: string | null;
  readonly broken: readonly string[];
};

/** An error with its cause, and the parts of an AggregateError. */
export type ErrorDescription = {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
  readonly errors?: readonly ErrorDescription[];
};
