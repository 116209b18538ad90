import { randomUUID } from 'node:crypto';

import { Command as Program, CommanderError } from '@commander-js/extra-typings';
import * as v from 'valibot';

import { HotcastError, UsageError } from '../../../protocol/errors.ts';
import { traceparent } from '../../../protocol/schemas.ts';
import type { Why } from '../../../protocol/history/why.ts';
import { PACKAGE_VERSION } from '../../../shared/package-version.ts';
import type { CommandOf } from '../api/command.ts';
import type { Output } from '../api/output.ts';
import { type Report, UNKNOWN_RESULT } from '../api/report.ts';
import { defineCli } from './commands.ts';
import type { Actions } from './definition/actions.ts';
import type { CommandBody } from './definition/command-body.ts';
import { devWithKeys, type Listener } from './dev-keys.ts';
import { exitStatus, INTERRUPTED, NO_RESULT, UNKNOWN } from './exit-status.ts';
import { followCommand, UnknownResultError } from './follow-command.ts';
import { hostVersionWarning } from './host-version.ts';
import { InterruptedError } from './interruption.ts';
import { progressLine } from './progress.ts';
import { renderEvent } from './render/events.ts';
import { outputOfLogged, renderLogged } from './render/logs.ts';
import { renderSaved } from './render/saved.ts';
import { render } from './render/render.ts';
import { bad, doubtful, withColors } from './style.ts';
import type { ShellRequest } from './shell/run-shell.ts';

/** The output of a command. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Draws progress on the last line, without ending it. Null: no person reads the output. */
  readonly draw: ((text: string) => void) | null;
  /** Whether the output has colours; default: it has none. */
  readonly colors?: boolean;
  /** Resolves when more can be shown without keeping it in memory; default: always. */
  readonly drained?: () => Promise<void>;
}

/** What a backup says should run, and when it was made. */
type RestorePlan = Pick<CommandOf<'restore'>, 'modules'> & { readonly at: number };

/** A file of `-` is the standard output or input. `passphrase`: for the signing key; null leaves the key out. */
export interface Backups {
  readonly passphrase: string;
  /** `say` receives what the user should know. */
  readonly write: (file: string, passphrase: string | null, say: (line: string) => void) => Promise<void>;
  /** Writes what the stream lacks. */
  readonly read: (file: string, passphrase: string | null, say: (line: string) => void) => Promise<RestorePlan>;
}

export interface CliOptions {
  /** The Unix socket of the controller. */
  readonly socketPath: string;
  /** The name that the history records for changes. */
  readonly author: string;
  /** The state of the sources in git, as far as it is known. */
  readonly sources?: Pick<Why, 'git'>;
  /** The version of the command line on the host; default: that of this one. */
  readonly version?: string;
  /** The id of the change that the command makes; default: a new one. */
  readonly change?: string;
  /** The session of the operator who gives it from afar: see the commands. */
  readonly operatorSession?: string;
  /** The span of whoever runs it, as the W3C writes it. One that is malformed does not count. */
  readonly traceparent?: string;
  /** How long the result of a change is looked up when the controller ends before it, milliseconds; default: 30 seconds. */
  readonly lookupTimeoutMs?: number;
  /** Runs the controller; default: another program does. */
  readonly serve?: () => Promise<void>;
  /** Reads and writes backups in this process, because their content does not go through the controller; default: another program does. */
  readonly backups?: Backups;
  /** Runs a shell, and returns its exit status; default: another program does. */
  readonly shell?: (request: ShellRequest) => Promise<number>;
  /** Is called before a command is sent: the signal that interrupts it. Default: nothing interrupts it. */
  readonly interruption?: () => AbortSignal;
  /** Reads the keys of `dev`; without it, there are none. */
  readonly readKeys?: (onKey: (key: string) => void) => void;
  readonly terminal: Terminal;
}

const elsewhere = (): Promise<never> => Promise.reject(new UsageError('this command needs a process of its own'));

/** Runs `hotcast …` and returns its exit status: see exit-status.ts. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<number> {
  const { socketPath, author, change = randomUUID(), lookupTimeoutMs = 30_000, terminal } = options;
  const { serve = elsewhere, shell: runShell = elsewhere } = options;
  const { backups = { passphrase: '', write: elsewhere, read: elsewhere } } = options;
  const {
    interruption = () => new AbortController().signal,
    sources = {},
    readKeys,
    version = PACKAGE_VERSION,
  } = options;
  const span = v.is(traceparent, options.traceparent) ? { traceparent: options.traceparent } : {};
  const from = options.operatorSession === undefined ? {} : { operatorSession: options.operatorSession };
  let status = 0;
  const send: Actions['send'] = async ({ cookie, timeout, json = false, verbose = false }, body) => {
    const follow = (what: CommandBody, signal: AbortSignal, listener: Listener = {}): Promise<number> => {
      const command = { cookie: cookie || null, timeoutMs: timeout, ...span, ...from, ...what };
      return run(followCommand(socketPath, command, signal, lookupTimeoutMs), { json, verbose }, terminal, listener);
    };
    const warning = body.type === 'names' ? null : hostVersionWarning(version);
    if (warning !== null) show({ type: 'warning', message: warning }, { json, verbose }, terminal);
    const hasKeys = body.type === 'dev' && readKeys !== undefined;
    status = hasKeys
      ? await devWithKeys(body, { author, readKeys, interrupted: interruption(), show: follow, say: terminal.out })
      : await follow(body, interruption());
  };
  const passphraseFor = (keys?: true): string | null => {
    if (keys !== true) return null;
    if (backups.passphrase === '') throw new UsageError('--keys needs a passphrase in HOTCAST_PASSPHRASE');
    return backups.passphrase;
  };
  const say = (line: string): void => terminal.err(`warning: ${line}`);
  const backup: Actions['backup'] = async ({ keys }, file) => {
    await backups.write(file, passphraseFor(keys), say);
    const without = keys === true ? 'with the signing key, encrypted' : 'without the signing key (--keys)';
    terminal.err(`the backup is written, ${without}`);
  };
  const restore: Actions['restore'] = async (given, file) => {
    const { modules, at } = await backups.read(file, passphraseFor(given.keys), say);
    await send(given, { type: 'restore', author, change, modules, backupAt: at });
  };
  const shell: Actions['shell'] = async ({ cookie, timeout }, on) => {
    const ask: ShellRequest['ask'] = (body, timeoutMs, signal) =>
      followCommand(socketPath, { cookie: cookie || null, timeoutMs, ...body }, signal, lookupTimeoutMs);
    status = await runShell({ ...on, author, timeoutMs: timeout, ask });
  };
  const define = (only: string | null): Program => {
    const program = new Program('hotcast')
      .configureOutput({
        writeOut: text => terminal.out(text.trimEnd()),
        writeErr: text => terminal.err(text.trimEnd()),
      })
      .exitOverride();
    const actions = { send, backup, restore, shell, serve, print: terminal.out };
    defineCli(program, { author, change, version, ...sources }, actions, only);
    return program;
  };
  const words = isVersion(args) ? ['version', ...args.slice(1)] : args;
  const [name = ''] = words;
  const one = define(name);
  try {
    const isAll = NEED_ALL.has(name) || !one.commands.some(command => command.name() === name);
    await (isAll ? define(null) : one).parseAsync(words, { from: 'user' });
  } catch (error) {
    if (error instanceof HotcastError) return failed(error, terminal);
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : NO_RESULT;
  }
  return status;
}

/** The commands that know all others, or have commands of their own. */
const NEED_ALL: ReadonlySet<string> = new Set(['completion', 'help', 'keys', 'operator']);

/** `hotcast --version` asks the controller and the nodes too, so it is a command. */
function isVersion([first]: readonly string[]): boolean {
  return first === '--version' || first === '-V';
}

/** A command of this process has failed. */
function failed({ code, message }: HotcastError, terminal: Terminal): number {
  show({ type: 'failed', code, message }, { json: false, verbose: false }, terminal);
  return NO_RESULT;
}

/** How results are printed. */
interface Format {
  readonly json: boolean;
  /** A line for each node. */
  readonly verbose: boolean;
}

async function run(
  reports: AsyncIterable<Report>,
  format: Format,
  terminal: Terminal,
  { onReport, onlyLooks = false }: Listener,
): Promise<number> {
  try {
    for await (const report of reports) {
      const status = show(report, format, terminal);
      onReport?.(report);
      if (status !== null) return status;
      await terminal.drained?.();
    }
    throw new TypeError('the reports ended without a result');
  } catch (error) {
    if (!(error instanceof HotcastError)) throw error;
    if (onlyLooks && error instanceof InterruptedError) return INTERRUPTED;
    show({ type: 'failed', code: error.code, message: error.message }, format, terminal);
    if (error instanceof UnknownResultError) return UNKNOWN;
    return error instanceof InterruptedError ? INTERRUPTED : NO_RESULT;
  }
}

const lineOf = (output: Output): string => JSON.stringify(output);

/** Shows a report. Returns the exit status if it is the last report, otherwise null. */
function show(report: Report, format: Format, terminal: Terminal): number | null {
  return withColors(terminal.colors ?? false, () => print(report, format, terminal));
}

function print(report: Report, { json, verbose }: Format, { out, err, draw }: Terminal): number | null {
  const clear = draw === null ? '' : '\r\u001B[K';
  switch (report.type) {
    case 'progress':
      draw?.(`${clear}${progressLine(report)}`);
      return null;
    case 'warning':
      err(`${clear}${doubtful('warning:')} ${report.message}`);
      return null;
    case 'note':
      err(`${clear}${report.message}`);
      return null;
    case 'saved':
      out(json ? lineOf({ saved: report }) : renderSaved(report, verbose));
      return null;
    case 'logged':
      out(json ? outputOfLogged(report).map(lineOf).join('\n') : renderLogged(report));
      return null;
    case 'happened':
      out(report.events.map(event => (json ? lineOf({ event }) : renderEvent(event))).join('\n'));
      return null;
    case 'failed':
      if (json) out(lineOf({ failed: report }));
      err(`${clear}${bad('hotcast:')} ${report.message}`);
      return report.code === UNKNOWN_RESULT ? UNKNOWN : NO_RESULT;
    case 'result':
      draw?.(clear);
      out(json ? lineOf(report.result) : render(report.result, verbose));
      return exitStatus(report.result);
  }
}
