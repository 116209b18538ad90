import { Command } from '@commander-js/extra-typings';

import { defineCli } from '../../../controller/src/cli/commands.ts';
import { runCli } from '../../../controller/src/cli/program.ts';
import { PACKAGE_VERSION } from '../../../shared/package-version.ts';

const HOST_OPTIONS = `
Options of the host, with every command:
  --project <name>            the Compose project (default: HOTCAST_PROJECT, or that of the nearest compose file)
  --project-directory <path>  the folder of the compose file
  --context <name>            the context: of Hotcast (default: HOTCAST_CONTEXT, or the one in use), or else of Docker

Contexts, for controllers that are reached over NATS: hotcast context add NAME FILE, use NAME, ls, rm NAME
`;

const NOTHING = (): never => {
  throw new TypeError('no command is run');
};

/** Whether the command line has such a command. */
export function isCommand(name: string): boolean {
  const program = new Command('hotcast');
  const actions = { send: NOTHING, backup: NOTHING, restore: NOTHING, shell: NOTHING, serve: NOTHING, print: NOTHING };
  defineCli(program, { author: '', change: '', version: PACKAGE_VERSION }, actions);
  return program.commands.some(command => command.name() === name);
}

/** Shows help, which needs no controller. Returns the exit status. */
export async function showHelp(args: readonly string[]): Promise<number> {
  const status = await runCli(args, {
    socketPath: '',
    author: '',
    version: PACKAGE_VERSION,
    terminal: {
      out: text => process.stdout.write(`${text}\n`),
      err: text => process.stderr.write(`${text}\n`),
      draw: null,
    },
  });
  if (status === 0) process.stdout.write(HOST_OPTIONS);
  return status;
}
