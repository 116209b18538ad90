import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { UsageError } from '../../../../protocol/errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The name for no context: the controller of the Compose project, through Docker. */
export const LOCAL = 'default';

/** Contexts of Hotcast: each is a file with the credentials of an operator, in the folder of the user's configuration. */
export function contextFolder(env: Environment): string {
  return join(env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'hotcast');
}

/** The file of a context. */
export const contextFile = (folder: string, name: string): string => join(folder, 'contexts', `${name}.json`);

/** The file with the name of the context that `hotcast context use` has chosen. */
export const chosenFile = (folder: string): string => join(folder, 'context');

export const isContextName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(text);

/** The context that is chosen for all commands. */
export function chosenContext(folder: string): string {
  try {
    return readFileSync(chosenFile(folder), 'utf8').trim() || LOCAL;
  } catch {
    return LOCAL;
  }
}

/**
 * The context of a call: the option, then the variable, then the chosen one. A project that is named is on this machine. The option can also
 * name a context of Docker, which Hotcast's own have precedence over.
 *
 * @returns its name and its file; null: the call goes through Docker.
 * @throws UsageError when there is no such context.
 */
export function contextOf(
  { context, project }: Readonly<Record<'context' | 'project', string | null>>,
  env: Environment,
): { readonly name: string; readonly file: string } | null {
  const folder = contextFolder(env);
  if (context === null && project !== null) return null;
  const name = context ?? (env['HOTCAST_CONTEXT'] || chosenContext(folder));
  if (name === LOCAL) return null;
  const file = contextFile(folder, name);
  if (isContextName(name) && existsSync(file)) return { name, file };
  if (context !== null) return null;
  throw new UsageError(`there is no context ${JSON.stringify(name)}; see: hotcast context ls`);
}
