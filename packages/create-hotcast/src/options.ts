import { parseArgs } from 'node:util';

import { UsageError } from '../../../protocol/errors.ts';
import { COOKIE_RULE, isCookie, isProjectName, PROJECT_RULE } from './names.ts';

/** The templates, with what is in them. */
export const TEMPLATES = {
  minimal: 'a function, and a counter whose state survives every push',
  http: 'an HTTP API with Hono',
  'websocket-game': 'a game room in the browser; players and sockets survive every push',
} as const;

export type Template = keyof typeof TEMPLATES;

export const DEFAULT_TEMPLATE: Template = 'minimal';

/** What is on the command line. */
export interface Options {
  readonly name: string | null;
  readonly cookie: string | null;
  readonly template: Template | null;
  /** Whether to add to the repository in the current folder. */
  readonly add: boolean;
  /** Whether to ask nothing. */
  readonly yes: boolean;
  /** Whether to install the packages. */
  readonly install: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

export const HELP = `Usage: npm create hotcast [name] -- [options]
       npm create hotcast -- --add [options]

Makes a fleet of Node.js modules that are replaced while they run, or adds one to the repository in the current folder.

Options:
  --cookie <cookie>      the cluster's name and address (default: the project's name)
  --template <template>  what to begin with (default: ${DEFAULT_TEMPLATE})
${Object.entries(TEMPLATES)
  .map(([name, content]) => `                           ${name.padEnd(15)} ${content}`)
  .join('\n')}
  --add                  add to the repository in the current folder; lists all changes first
  --yes                  ask nothing, and take the defaults
  --no-install           do not install the npm packages
  --version              print the version
  --help                 print this help

Without a terminal, nothing is asked; --add needs --yes then.
`;

/**
 * Reads the command line, without the program's name.
 *
 * @throws UsageError for an unknown option or a value that is not valid.
 */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [name = null, ...others] = positionals;
  const { cookie = null, template = null } = values;
  if (others.length > 0) throw new UsageError(`one name is enough: ${positionals.join(' ')}`);
  if (name !== null && values.add) {
    throw new UsageError('--add takes no name: run it in the folder of the repository');
  }
  if (name !== null && /^\.?\/?$/.test(name)) {
    throw new UsageError(
      `'${name}' is no name: a project has a new folder (npm create hotcast my-fleet), and an existing repository takes --add`,
    );
  }
  if (name !== null && !isProjectName(name)) throw new UsageError(`'${name}' is no name: it is ${PROJECT_RULE}`);
  if (cookie !== null && !isCookie(cookie))
    throw new UsageError(`--cookie '${cookie}' is no cookie: it is ${COOKIE_RULE}`);
  if (template !== null && !isTemplate(template)) {
    throw new UsageError(`--template '${template}' does not exist: it is ${Object.keys(TEMPLATES).join(', ')}`);
  }
  const { add, yes, help, version } = values;
  return { name, cookie, template, add, yes, install: !values['no-install'], help, version };
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  const options = {
    cookie: text,
    template: text,
    add: flag,
    yes: { ...flag, short: 'y' },
    'no-install': flag,
    help: { ...flag, short: 'h' },
    version: flag,
  } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new UsageError(`${cause.message.split(/[.:] /)[0]}; --help lists the options`, { cause });
  }
}

function isTemplate(text: string): text is Template {
  return Object.hasOwn(TEMPLATES, text);
}
