import pino from 'pino';

import type { LogLevel } from './cluster-config.ts';

/** Structured logging: fields first, then one line for people. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A logger whose lines carry more fields than those of the logger that it was made from. */
export interface RootLogger extends Logger {
  child(fields: object): Logger;
}

/** Creates the logger of a process: one line of JSON on standard output for each entry at `level` or above. */
export function createLogger(level: LogLevel): RootLogger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // A module's error is a plain description. Pino's serializer would log its type as `Object`.
    serializers: { err: (err: unknown) => (err instanceof Error ? pino.stdSerializers.err(err) : err) },
  });
}
