import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { UsageError } from '../../../../protocol/errors.ts';
import { readCredentials } from '../../../../protocol/operators/credentials.ts';
import { replaceFile } from '../../../../shared/files.ts';
import { chosenContext, chosenFile, contextFile, isContextName, LOCAL } from './context-folder.ts';

const USAGE = 'hotcast context add NAME FILE, use NAME, ls, or rm NAME';

/** Runs `hotcast context …`. It needs no controller. Returns what it prints. @throws UsageError */
export function runContext(folder: string, [verb = '', ...rest]: readonly string[]): string {
  const [name = '', file] = rest;
  const isWrong = (count: number): boolean => rest.length !== count;
  switch (verb) {
    case 'add':
      if (isWrong(2) || file === undefined) throw new UsageError(`usage: ${USAGE}`);
      return add(folder, checked(name), file);
    case 'use':
      if (isWrong(1)) throw new UsageError(`usage: ${USAGE}`);
      if (name !== LOCAL) known(folder, name);
      write(chosenFile(folder), `${name}\n`);
      return name === LOCAL ? `commands go to the Compose project of their folder` : `commands go to ${name}`;
    case 'ls':
    case 'list':
      if (isWrong(0)) throw new UsageError(`usage: ${USAGE}`);
      return list(folder);
    case 'rm':
    case 'remove':
      if (isWrong(1)) throw new UsageError(`usage: ${USAGE}`);
      rmSync(known(folder, name));
      if (chosenContext(folder) === name) rmSync(chosenFile(folder));
      return `removed ${name}`;
    default:
      throw new UsageError(`usage: ${USAGE}`);
  }
}

/** Keeps a copy of the credentials, which only the user can read. `-` is the standard input. */
function add(folder: string, name: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new UsageError(`cannot read ${file} (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`, { cause });
  }
  const { name: operator, url } = readCredentials(text, file === '-' ? 'the standard input' : file);
  write(contextFile(folder, name), text);
  return `${name} is the operator ${operator} at ${url}`;
}

function list(folder: string): string {
  const chosen = chosenContext(folder);
  const rows = namesIn(folder).map(name => {
    const { name: operator, url, cookie } = readCredentials(readFileSync(contextFile(folder, name), 'utf8'), name);
    return [name, `${operator} at ${url}, cookie ${cookie}`] as const;
  });
  const all = [[LOCAL, 'the Compose project, through Docker'] as const, ...rows];
  const width = Math.max(...all.map(([name]) => name.length));
  return all.map(([name, what]) => `${name === chosen ? '*' : ' '} ${name.padEnd(width)}  ${what}`).join('\n');
}

function namesIn(folder: string): string[] {
  try {
    const files = readdirSync(dirname(contextFile(folder, LOCAL)));
    return files.filter(file => file.endsWith('.json')).map(file => basename(file, '.json'));
  } catch {
    return [];
  }
}

function known(folder: string, name: string): string {
  if (!namesIn(folder).includes(name))
    throw new UsageError(`there is no context ${JSON.stringify(name)}; see: hotcast context ls`);
  return contextFile(folder, name);
}

function checked(name: string): string {
  if (isContextName(name) && name !== LOCAL) return name;
  throw new UsageError(`${JSON.stringify(name)} is not a name for a context: use letters, digits, dots, dashes`);
}

function write(file: string, text: string): void {
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  replaceFile(file, text, 0o600);
}
