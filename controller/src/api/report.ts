import * as v from 'valibot';

import { eventSchema } from '../../../protocol/history/event.ts';
import { logEntry } from '../../../protocol/logs.ts';
import { count, moduleName, nodeName } from '../../../protocol/schemas.ts';
import { diagnosticSchema } from './diagnostic.ts';
import { pushResultSchema, resultSchema } from './results.ts';
import { list, milliseconds } from './validation.ts';

/** What became of a save, while `dev` watches the modules folder. */
export const savedSchema = v.object({
  type: v.literal('saved'),
  /** When it was seen, milliseconds since 1970. */
  at: count,
  /** From then until the nodes have answered. */
  ms: milliseconds,
  /** The modules whose own files were saved. The others of a push share a file with them. */
  saved: list(moduleName),
  /** What is pushed of it now, or was not: null if nothing was sent. */
  result: v.nullable(pushResultSchema),
  /** Why nothing was sent, or the type errors of what runs now; null: nothing is wrong. */
  problem: v.nullable(v.string()),
  /** The modules that are not repaired yet, a line each; without the problem of this save. */
  broken: list(v.string()),
});

export type Saved = Readonly<v.InferOutput<typeof savedSchema>>;

/**
 * What a module has logged. `nodes`: those that logged it within a moment. `count`: how often they did, together. `at`: the first
 * of them.
 */
export const loggedEntrySchema = v.object({ ...logEntry.entries, nodes: list(nodeName), count });

/** What modules have logged since the last report, and how many more entries were dropped. */
const loggedSchema = v.object({
  type: v.literal('logged'),
  entries: list(loggedEntrySchema),
  dropped: count,
});

export type Logged = Readonly<v.InferOutput<typeof loggedSchema>>;

/** What has happened, oldest first: `events` shows it. */
const happenedSchema = v.object({ type: v.literal('happened'), events: list(eventSchema) });

/** The code of a command that failed after it may have written heads. */
export const UNKNOWN_RESULT = 'unknown-result';

/** A command has failed: the last report, or an error of the command line itself. */
export const failedSchema = v.object({
  type: v.literal('failed'),
  /** The `code` of the error, `fault` for a fault of the controller, or {@link UNKNOWN_RESULT}. */
  code: v.string(),
  message: v.string(),
  /** The errors of the compiler or the type checker. */
  diagnostics: v.exactOptional(list(diagnosticSchema)),
});

/** What the controller reports to the CLI while a command runs. `result` or `failed` is the last report. */
export const reportSchema = v.variant('type', [
  v.object({
    type: v.literal('progress'),
    phase: v.string(),
    answered: count,
    expected: count,
    /** The node that has answered, if it is an answer. */
    node: v.exactOptional(nodeName),
  }),
  v.object({ type: v.literal('warning'), message: v.string() }),
  /** What a command does from now on, beside its output. */
  v.object({ type: v.literal('note'), message: v.string() }),
  savedSchema,
  loggedSchema,
  happenedSchema,
  v.object({ type: v.literal('result'), result: resultSchema }),
  failedSchema,
]);

export type Report = Readonly<v.InferOutput<typeof reportSchema>>;

/** Receives the reports of a command. */
export type OnReport = (report: Report) => void;

/** The one who gave a command, as the controller sees him. */
export interface Client {
  /** Receives what there is to tell before the result. */
  readonly report: OnReport;
  /** Aborted when the client has gone: then a command stops to wait, and throws its reason. */
  readonly signal: AbortSignal;
  /**
   * Receives what holds from now on if the client goes, in one line: it is the last thing that an interrupted client is told.
   * Heads are written only after a look at the signal in the same turn. `written`: whether the heads may be written from now on.
   */
  readonly holds: (line: string, written?: boolean) => void;
}
