import { ModuleLogs, type Logging } from '../../../../node-image/src/sandbox/logs/module-logs.ts';
import type { LogLevel } from '../../../../protocol/logs.ts';
import type { Logger } from '../../../../shared/logger.ts';
import type { RuntimeLogLine } from '../api/runtime.ts';

/** What modules print, and their errors that nobody catches. */
export class ModuleLog extends ModuleLogs implements Logger {
  readonly lines: RuntimeLogLine[] = [];
  readonly #print: boolean;

  /** @param print whether it is printed too. */
  constructor(print: boolean) {
    super();
    this.#print = print;
  }

  override printed({ module }: Logging, level: LogLevel, text: string): void {
    this.#add(level === 'warn' ? 'warn' : 'info', module, text);
  }

  /** The node's own lines say nothing about modules. */
  info(): void {}

  warn(): void {}

  error(fields: object, message: string): void {
    const { module, err } = fields as { module?: unknown; err?: { stack?: string; message: string } };
    // Who loads a module that is refused gets the error.
    if (typeof module !== 'string' || err === undefined || message.startsWith('refused: ')) return;
    this.#add('error', module, `${message}: ${err.stack ?? err.message}`);
  }

  #add(level: RuntimeLogLine['level'], module: string, text: string): void {
    this.lines.push({ level, module, text });
    if (this.#print) console[level](`${module}: ${text}`);
  }
}
