import { Writable } from 'node:stream';

import type { ErrorDescription } from '../../../protocol/error-description.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Logger } from '../../../shared/logger.ts';
import { addOutput, printingCall } from './execution-context.ts';
import type { ModuleLogs } from './logs/module-logs.ts';

/** The maximum length of one write, and of one line in it (characters). The rest is cut off. */
const MAX_WRITE_CHARS = 65_536;
const MAX_LINE_CHARS = 4_096;

/** The period of the limit (milliseconds). */
const PERIOD_MS = 1_000;

/**
 * The log of one version. Each line has the module and the revision. Lines beyond `maxCharsPerSecond` are dropped, and
 * their number is logged once per second. So a module can neither fill the disk nor keep the node busy with its log.
 */
export class VersionLogger {
  readonly #log: Logger;
  readonly #fields: { readonly module: string; readonly revision: string };
  readonly #version: { readonly module: string; readonly revision: string };
  readonly #maxCharsPerSecond: number;
  readonly #mapText: (text: string) => string;
  readonly #logs: ModuleLogs | null;
  #periodStart = 0;
  #written = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param mapText maps the stacks in a text to the sources.
   * @param logs sees all of it too, whatever the limit.
   */
  constructor(
    log: Logger,
    module: string,
    revision: string,
    maxCharsPerSecond: number,
    mapText: (text: string) => string = text => text,
    logs: ModuleLogs | null = null,
  ) {
    this.#log = log;
    this.#fields = { module, revision: shortRevision(revision) };
    this.#maxCharsPerSecond = maxCharsPerSecond;
    this.#mapText = mapText;
    this.#version = { module, revision };
    this.#logs = logs;
  }

  /** A stream whose lines are logged, and added to the output of the call that wrote them. */
  stream(level: 'info' | 'warn'): Writable {
    return new Writable({
      decodeStrings: false,
      write: (chunk: string | Uint8Array, _encoding, done) => {
        this.print(level, chunk);
        done();
      },
    });
  }

  /** Logs what is written to a stream. */
  print(level: 'info' | 'warn', chunk: string | Uint8Array): void {
    const written = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    const text = shortened(written.endsWith('\n') ? written.slice(0, -1) : written, MAX_WRITE_CHARS);
    const mapped = this.#mapText(text);
    this.#logs?.printed(this.#version, level, mapped, printingCall());
    for (const whole of mapped.split('\n')) {
      const line = shortened(whole, MAX_LINE_CHARS);
      addOutput(line);
      if (this.#accept(line.length)) this.#log[level](this.#fields, line);
    }
  }

  /** Logs an error that the version did not catch. `describeError` is not called when the line is dropped. */
  error(describeError: () => ErrorDescription, message = 'error in a module'): void {
    const isLogged = this.#accept(0);
    const isKept = this.#logs?.takesError(this.#version) === true;
    if (!isLogged && !isKept) return;
    const err = describeError();
    if (isKept) this.#logs?.threw(this.#version, message, err);
    if (!isLogged) return;
    this.#written += JSON.stringify(err).length;
    this.#log.error({ ...this.#fields, err }, message);
  }

  /** Keeps an error that the caller of a function is told, and that the log does not need. */
  told(describeError: () => ErrorDescription, where: string): void {
    if (this.#logs?.takesError(this.#version) === true) this.#logs.threw(this.#version, where, describeError());
  }

  /** Logs the number of dropped lines now, if there are any. */
  flush(): void {
    clearTimeout(this.#timer);
    const dropped = this.#dropped;
    if (dropped === 0) return;
    this.#dropped = 0;
    const limit = `the limit is ${this.#maxCharsPerSecond} characters per second (LOG_MAX_CHARS_PER_SECOND)`;
    this.#log.warn({ ...this.#fields, dropped }, `${dropped} lines dropped: ${limit}`);
  }

  /** Counts a line against the limit; false when it has to be dropped. */
  #accept(length: number): boolean {
    const now = performance.now();
    if (now - this.#periodStart >= PERIOD_MS) {
      this.#periodStart = now;
      this.#written = 0;
    }
    if (this.#written < this.#maxCharsPerSecond) {
      this.#written += length;
      return true;
    }
    if (this.#dropped === 0) this.#timer = setTimeout(() => this.flush(), PERIOD_MS).unref();
    this.#dropped += 1;
    return false;
  }
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length - length} more characters)`;
}
