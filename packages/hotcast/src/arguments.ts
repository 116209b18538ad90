import { UsageError } from '../../../protocol/errors.ts';

/** The options that are not sent to the controller: they say where it is. */
export interface HostOptions {
  /** The name of the Compose project. */
  readonly project: string | null;
  /** The folder of the Compose project; default: the nearest one upwards with a compose file. */
  readonly projectDirectory: string | null;
  /** The context of Hotcast, or of Docker. */
  readonly context: string | null;
}

const NAMES: Readonly<Record<string, keyof HostOptions>> = {
  '--project': 'project',
  '--project-directory': 'projectDirectory',
  '--context': 'context',
};

/** Takes the options of the host out of the arguments. What follows `--` stays as it is. @throws UsageError */
export function readArguments(all: readonly string[]): {
  readonly host: HostOptions;
  readonly args: readonly string[];
} {
  const host: { -readonly [Name in keyof HostOptions]: string | null } = {
    project: null,
    projectDirectory: null,
    context: null,
  };
  const args: string[] = [];
  for (let at = 0; at < all.length; at += 1) {
    const word = all[at] ?? '';
    if (word === '--') return { host, args: [...args, ...all.slice(at)] };
    const [flag = '', inline] = word.split(/=(.*)/s, 2);
    const name = Object.hasOwn(NAMES, flag) ? NAMES[flag] : undefined;
    if (name === undefined) {
      args.push(word);
      continue;
    }
    const value = inline ?? all[(at += 1)];
    if (!value) throw new UsageError(`${flag} needs a value`);
    host[name] = value;
  }
  return { host, args };
}
