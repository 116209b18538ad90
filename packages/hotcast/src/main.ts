#!/usr/bin/env node
import { HotcastError, UnavailableError } from '../../../protocol/errors.ts';
import { NO_RESULT } from '../../../controller/src/cli/exit-status.ts';
import { PACKAGE_VERSION } from '../../../shared/package-version.ts';
import { readArguments } from './arguments.ts';
import { Engine } from './engine.ts';
import { contextFolder, contextOf } from './context-folder.ts';
import type { showHelp as showHelpOf } from './help.ts';
import { findProject, type Project, sourcesFolder } from './project.ts';
import type * as Remote from './remote.ts';
import { runBackup } from './run-backup.ts';
import { runCommand } from './run-command.ts';
import { isAboutFolder, runKeys } from './run-keys.ts';
import { runShell } from './run-shell.ts';
import type { Session } from './session.ts';

/** How the user starts the cluster. */
const START = process.env['HOTCAST_START'] || 'docker compose up --detach';

// CommonJS, which has no await here, starts in two thirds of the time that an ES module takes.
main(process.argv.slice(2)).then(
  code => process.exit(code),
  (error: unknown) => {
    if (!(error instanceof HotcastError)) throw error;
    process.stderr.write(`hotcast: ${error.message}\n`);
    process.exit(NO_RESULT);
  },
);

/** Help has the definition of all commands, which is large: it is a file of its own, that is read when it is needed. */
async function showHelp(args: readonly string[]): Promise<number> {
  const file = new URL('help.mjs', import.meta.url).href;
  const help = (await import(file)) as { readonly showHelp: typeof showHelpOf };
  return help.showHelp(args);
}

/** What reaches a controller from afar has a client of NATS, which a command through Docker does without. */
async function loadRemote(): Promise<typeof Remote> {
  return (await import(new URL('remote.mjs', import.meta.url).href)) as typeof Remote;
}

/** Runs `hotcast …` for the project of the current folder. Returns the exit status. */
async function main(given: readonly string[]): Promise<number> {
  const { host, args } = readArguments(given);
  const [command = ''] = args;
  if (command === '' || command === 'help' || args.some(word => word === '--help' || word === '-h')) {
    return showHelp(args);
  }
  if (command === 'context') {
    const { runContext } = await loadRemote();
    return runContext(contextFolder(process.env), args.slice(1));
  }
  const context = contextOf(host, process.env);
  if (context !== null) {
    const { runRemote } = await loadRemote();
    return runRemote({ context, args, folder: sourcesFolder(host.projectDirectory, process.env, process.cwd()) });
  }
  const isVersion = command === '--version' || command === '-V' || command === 'version';
  try {
    const engine = new Engine(host.context, START);
    if (isAboutFolder(args)) return await runKeys(engine, args);
    const project = findProject(host, process.env, process.cwd());
    return await run(await sessionOf(engine, project, args));
  } catch (error) {
    // Without a controller, the version of the command line is known.
    if (isVersion && error instanceof UnavailableError) process.stdout.write(`hotcast  ${PACKAGE_VERSION}\n`);
    throw error;
  }
}

function run(session: Session): Promise<number> {
  switch (session.command) {
    case 'backup':
    case 'restore':
      return runBackup(session);
    case 'shell':
      return runShell(session);
    default:
      return runCommand(session);
  }
}

async function sessionOf(engine: Engine, project: Project | null, args: readonly string[]): Promise<Session> {
  if (project === null) {
    const running = await engine.projects().catch(() => []);
    const others = running.length === 0 ? '' : ` (a controller runs in: ${running.join(', ')})`;
    throw new UnavailableError(
      `no compose file in ${process.cwd()} or above it: go to the project's folder, or name the Compose project with --project${others}`,
    );
  }
  const controller = await engine.controllerOf(project.name);
  if (controller === null) {
    throw new UnavailableError(`the controller of ${project.name} is not running; start the cluster with: ${START}`);
  }
  return { args, command: args[0] ?? '', project, engine, controller };
}
