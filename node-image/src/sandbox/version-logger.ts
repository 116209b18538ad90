import { Writable } from 'node:stream';

import { shortRevision } from '../../../protocol/revision.ts';
import type { Logger } from '../../../shared/logger.ts';
import { addOutput } from './execution-context.ts';
import type { ErrorDescription } from '../../../shared/stack-trace.ts';

/** What is printed at once is cut to this many characters, and each line of it to so many. */
const MAX_PRINT = 65_536;
const MAX_LINE = 4_096;

/** How long a version has to wait when it has logged as much as it may (milliseconds). */
const PERIOD = 1_000;

/**
 * What one version logs, each line with module and revision. What it logs beyond `charsPerSecond` characters a second is
 * dropped; how many lines, is said once a second. So it neither fills the disk nor keeps the node from its work.
 */
export class VersionLogger {
  readonly #log: Logger;
  readonly #fields: { readonly module: string; readonly revision: string };
  readonly #charsPerSecond: number;
  #began = 0;
  #written = 0;
  #dropped = 0;

  constructor(log: Logger, module: string, revision: string, charsPerSecond: number) {
    this.#log = log;
    this.#fields = { module, revision: shortRevision(revision) };
    this.#charsPerSecond = charsPerSecond;
  }

  /** A stream whose lines are logged, and shown with the call that wrote them. */
  stream(level: 'info' | 'warn'): Writable {
    return new Writable({
      decodeStrings: false,
      write: (chunk: string | Uint8Array, _encoding, done) => {
        const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
        for (const whole of shortened(text.endsWith('\n') ? text.slice(0, -1) : text, MAX_PRINT).split('\n')) {
          const line = shortened(whole, MAX_LINE);
          addOutput(line);
          if (this.#mayLog(line.length)) this.#log[level](this.#fields, line);
        }
        done();
      },
    });
  }

  /** Logs what the version threw and nobody caught; `describeError` is not called when that is dropped. */
  error(describeError: () => ErrorDescription, message = 'error in a module'): void {
    if (!this.#mayLog(0)) return;
    const err = describeError();
    this.#written += err.message.length + (err.stack?.length ?? 0);
    this.#log.error({ ...this.#fields, err }, message);
  }

  #mayLog(length: number): boolean {
    const now = performance.now();
    if (now - this.#began >= PERIOD) {
      this.#began = now;
      this.#written = 0;
    }
    if (this.#written < this.#charsPerSecond) {
      this.#written += length;
      return true;
    }
    if (this.#dropped === 0) setTimeout(() => this.#tellDropped(), PERIOD).unref();
    this.#dropped += 1;
    return false;
  }

  #tellDropped(): void {
    const dropped = this.#dropped;
    this.#dropped = 0;
    const fields = { ...this.#fields, dropped };
    this.#log.warn(
      fields,
      `${dropped} lines dropped: it may log ${this.#charsPerSecond} characters a second (LOG_MAY_WRITE)`,
    );
  }
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length - length} more characters)`;
}
