import * as v from 'valibot';

import { errorDescription } from './error-description.ts';
import { count, moduleName, nodeName, revision } from './schemas.ts';

/** How long nodes send what modules log after the last request for it (milliseconds). */
export const TAIL_LEASE_MS = 6_000;

/** A tail renews its lease so often (milliseconds). */
export const TAIL_RENEWAL_MS = 2_000;

/** The most that one node sends: lines a second in the long run. A line of more than 256 characters counts for several. */
export const MAX_TAIL_RATE = 100;

/** The largest message with log lines that is read, in bytes. A node sends far smaller ones. */
export const MAX_LOG_MESSAGE_BYTES = 256 * 1024;

/** The longest text of one entry, in characters. */
export const MAX_LOG_TEXT = 16_384;

/** What a module prints is `info` or `warn` (`console.error`, standard error); what it throws is `error`. */
export const LOG_LEVELS = ['info', 'warn', 'error'] as const;

export const logLevel = v.picklist(LOG_LEVELS);

/** What a tail shows: entries of these modules (all if there are none), from this level on, which contain this text. */
const logFilterEntries = {
  modules: v.pipe(v.array(moduleName), v.maxLength(100)),
  level: logLevel,
  grep: v.pipe(v.string(), v.maxLength(1_000)),
};

/**
 * Asks nodes to send what modules log, for {@link TAIL_LEASE_MS}. A tail asks again and again. `rate`: at most so many lines a second;
 * 0 ends it.
 */
export const tailRequest = v.object({
  id: v.pipe(v.string(), v.uuid()),
  rate: v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_TAIL_RATE)),
  ...logFilterEntries,
});

/** The node sends what the tail asked for. */
export const tailAnswer = v.object({ node: nodeName });

/** One thing that a version printed or threw; several lines if it printed them at once. Stacks are mapped to the sources. */
export const logEntry = v.object({
  /** The node's clock, milliseconds since 1970. */
  at: count,
  module: moduleName,
  revision,
  level: logLevel,
  text: v.pipe(v.string(), v.maxLength(MAX_LOG_TEXT)),
  /** The call that printed it, if its sender gave it an id, and how many lines it had printed before. */
  call: v.exactOptional(v.object({ id: v.pipe(v.string(), v.maxLength(36)), line: count })),
});

/** What the versions of a node have logged. `dropped`: the number of entries since the last message that exceeded the rate. */
export const logMessage = v.object({
  node: nodeName,
  entries: v.array(logEntry),
  dropped: count,
});

/** Asks for the last errors of the revisions of a module. */
export const errorsRequest = v.object({ module: moduleName });

/** An error of a version, and how often it came. */
const keptError = v.object({
  /** When it came last, by the node's clock, milliseconds since 1970. */
  at: count,
  /** How often it came since it was kept. */
  count,
  /** What ran: `demo.add`, `a request`, … */
  where: v.string(),
  error: errorDescription,
});

/** The last errors of each revision that ran on the node, the newest first. Equal errors are one. */
export const errorsAnswer = v.object({
  node: nodeName,
  revisions: v.array(v.object({ revision, errors: v.array(keptError) })),
});

export type LogLevel = v.InferOutput<typeof logLevel>;
export type TailRequest = v.InferOutput<typeof tailRequest>;
export type TailAnswer = v.InferOutput<typeof tailAnswer>;
export type LogFilter = Pick<TailRequest, 'modules' | 'level' | 'grep'>;
export type LogEntry = v.InferOutput<typeof logEntry>;
export type LogMessage = v.InferOutput<typeof logMessage>;
export type KeptError = v.InferOutput<typeof keptError>;
export type ErrorsAnswer = v.InferOutput<typeof errorsAnswer>;

/** Whether a tail shows an entry. */
export function passes(
  { modules, level, grep }: LogFilter,
  entry: Pick<LogEntry, 'module' | 'level' | 'text'>,
): boolean {
  return (
    LOG_LEVELS.indexOf(entry.level) >= LOG_LEVELS.indexOf(level) &&
    (modules.length === 0 || modules.includes(entry.module)) &&
    entry.text.includes(grep)
  );
}
