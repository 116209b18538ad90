import { closeSync, openSync, renameSync, rmSync } from 'node:fs';

import { UsageError } from '../../../protocol/errors.ts';
import { ended } from './engine/child-status.ts';
import { readPassphrase } from './passphrase.ts';
import { cookieOption, hostVariables, type Session } from './session.ts';
import { variables } from './engine/variables.ts';

/** The options whose value is the next argument. */
const WITH_VALUE: ReadonlySet<string> = new Set(['--timeout', '--cookie']);

/**
 * Runs `backup` or `restore`. The file is on this machine, so it is the output or the input of the command in the container. All
 * messages are on standard error. Returns the exit status.
 */
export async function runBackup({ args, command, engine, controller }: Session): Promise<number> {
  const { file, rest } = fileOf(args.slice(1));
  if (file === null) throw new UsageError(`name the file: ${command} FILE`);
  if (rest.includes('--keys')) process.env['HOTCAST_PASSPHRASE'] ||= await readPassphrase();
  const env = variables({ HOTCAST_PASSPHRASE: null, ...hostVariables() });
  const all = ['--interactive', ...env, controller.id, 'hotcast', command, '-', ...rest, ...cookieOption(args)];
  if (file === '-') return ended(engine.exec(all, 'inherit'));
  if (command === 'restore') {
    const source = openFile(file, 'r', 'read');
    return ended(engine.exec(all, [source, 'inherit', 'inherit']));
  }
  // An earlier backup of that name stays until the new one is whole.
  const part = `${file}.part`;
  const target = openFile(part, 'w', 'write');
  // Ctrl+C ends the child too, and then this removes the part.
  process.on('SIGINT', () => undefined);
  const status = await ended(engine.exec(all, ['ignore', target, 'inherit']));
  closeSync(target);
  if (status === 0) replaceFile(file, part);
  else rmSync(part);
  return status;
}

function fileOf(args: readonly string[]): { readonly file: string | null; readonly rest: readonly string[] } {
  const at = args.findIndex(
    (word, index) => (word === '-' || !word.startsWith('-')) && !WITH_VALUE.has(args[index - 1] ?? ''),
  );
  return { file: args[at] ?? null, rest: args.filter((_, index) => index !== at) };
}

/** @throws UsageError when it can't be opened */
function openFile(file: string, flag: 'r' | 'w', what: string): number {
  try {
    return openSync(file, flag, 0o600);
  } catch (cause) {
    throw new UsageError(`cannot ${what} ${file} (${codeOf(cause)})`, { cause });
  }
}

/** @throws UsageError when it can't be replaced; what is whole stays where it is. */
function replaceFile(file: string, whole: string): void {
  try {
    renameSync(whole, file);
  } catch (cause) {
    throw new UsageError(`cannot write ${file} (${codeOf(cause)}); the backup is ${whole}`, { cause });
  }
}

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? String(cause);
