import { type ErrorDescription, errorText } from '../../../../protocol/error-description.ts';
import type { LogEntry, LogLevel } from '../../../../protocol/logs.ts';
import { LastErrors } from './last-errors.ts';
import { type Logging, LogTail } from './log-tail.ts';

export type { Logging };

/** What sees everything that versions print and throw, beside the log of the process. */
export class ModuleLogs {
  readonly errors = new LastErrors();
  readonly tail: LogTail;

  /** @param publish sends what a tail asked for. */
  constructor(publish: ConstructorParameters<typeof LogTail>[0] = () => undefined) {
    this.tail = new LogTail(publish);
  }

  /** A version has printed something. `call`: in which call. */
  printed(version: Logging, level: LogLevel, text: string, call: LogEntry['call'] | null = null): void {
    if (this.tail.isOpen) this.tail.add(version, level, text, call === null ? {} : { call });
  }

  /** Whether an error of a version is to be described. In a flood of them, most are not. */
  takesError(version: Logging): boolean {
    return this.errors.takes(version);
  }

  /** A version has thrown an error. `where`: what ran. */
  threw(version: Logging, where: string, error: ErrorDescription): void {
    this.errors.add(version, where, error);
    if (this.tail.isOpen) this.tail.add(version, 'error', `${where}: ${errorText(error)}`);
  }
}
