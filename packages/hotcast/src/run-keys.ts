import { existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { UsageError } from '../../../protocol/errors.ts';
import { PACKAGE_VERSION } from '../../../shared/package-version.ts';
import { ended } from './engine/child-status.ts';
import type { Engine } from './engine/engine.ts';
import { variables } from './engine/variables.ts';

/** The folder of keys in the container. */
const FOLDER = '/keys';

/** The options of `keys make`, which the container gets as variables, and of the other commands. */
const OPTIONS = {
  cookie: { type: 'string' },
  tls: { type: 'boolean' },
  hosts: { type: 'string' },
  overlap: { type: 'string', default: '10m' },
  folder: { type: 'string' },
} as const;

/** Whether a command line is about a folder of keys on this machine, and needs no cluster. */
export const isAboutFolder = ([command, verb, ...rest]: readonly string[]): boolean =>
  command === 'keys' && (verb === 'make' || rest.some(word => /^--folder(?:=|$)/.test(word)));

/**
 * Makes or changes keys in a folder of this machine, in a container of the image that makes those of a cluster. It has no network, and
 * runs as the user of this process, to whom the files belong. Returns the exit status.
 *
 * @throws UsageError when the arguments are not those of the command
 */
export async function runKeys(engine: Engine, args: readonly string[]): Promise<number> {
  const { cookie, tls, hosts, folder, overlap, verb, what } = read(args.slice(1));
  const isMade = verb === 'make';
  const dir = isMade ? what : folder;
  if (dir === undefined) throw new UsageError('name the folder: keys make DIR');
  // The engine would make it, as root's.
  if (isMade) mkdirSync(dir, { recursive: true, mode: 0o700 });
  else if (!existsSync(dir)) throw new UsageError(`there is no folder ${dir}: hotcast keys make ${dir}`);
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const volume = `${resolve(dir)}:${FOLDER}`;
  const container = ['--rm', '--network', 'none', '--cap-drop', 'ALL', '--user', user, '--volume', volume];
  const env = variables({
    COOKIES: cookie ?? process.env['COOKIE'] ?? '',
    ...(tls === undefined ? {} : { NATS_TLS: tls ? '1' : '0' }),
    ...(hosts === undefined ? {} : { NATS_HOSTS: hosts }),
  });
  const words = isMade ? [] : [verb === 'rotate' ? overlap : (what ?? '')];
  return ended(engine.run([...container, ...env, imageOf(process.env), 'node', 'keygen.mjs', verb, FOLDER, ...words]));
}

/** The image that makes keys: that of the version of this command line. */
function imageOf(env: Readonly<Record<string, string | undefined>>): string {
  return env['HOTCAST_KEYGEN_IMAGE'] || `${env['HOTCAST_IMAGES'] || 'hotcast'}/keygen:${PACKAGE_VERSION}`;
}

function read(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const [verb = '', what, ...more] = positionals;
    if (more.length > 0) throw new UsageError(`too many arguments: ${more.join(' ')}`);
    return { ...values, verb, what };
  } catch (cause) {
    if (cause instanceof UsageError || !(cause instanceof Error)) throw cause;
    throw new UsageError(cause.message, { cause });
  }
}
