#!/usr/bin/env node
import { HotcastError, UnavailableError } from '../../../protocol/errors.ts';
import { NO_RESULT } from '../../../controller/src/cli/exit-status.ts';
import { PACKAGE_VERSION } from '../../../shared/package-version.ts';
import { readArguments } from './arguments.ts';
import { Engine } from './engine/engine.ts';
import { contextFolder, contextOf } from './remote/context-folder.ts';
import type * as Help from './help.ts';
import { notRunning, startCommand } from './no-controller.ts';
import { findProject, type Project, sourcesFolder } from './project.ts';
import type * as Remote from './remote.ts';
import { runBackup } from './run-backup.ts';
import { runCommand } from './run-command.ts';
import { isAboutFolder, runKeys } from './run-keys.ts';
import { runShell } from './run-shell.ts';
import type { Session } from './session.ts';

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
async function loadHelp(): Promise<typeof Help> {
  return (await import(new URL('help.mjs', import.meta.url).href)) as typeof Help;
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
    return (await loadHelp()).showHelp(args);
  }
  if (command === 'context') {
    const { runContext } = await loadRemote();
    return runContext(contextFolder(process.env), args.slice(1));
  }
  // A folder of keys is on this machine, wherever the cluster is.
  const context = host.context === null && isAboutFolder(args) ? null : contextOf(host, process.env);
  if (context !== null) {
    const { runRemote } = await loadRemote();
    return runRemote({ context, args, folder: sourcesFolder(host.projectDirectory, process.env, process.cwd()) });
  }
  const isVersion = command === '--version' || command === '-V' || command === 'version';
  try {
    const project = findProject(host, process.env, process.cwd());
    const engine = new Engine(host.context, startCommand(project?.folder ?? '.', process.env));
    if (isAboutFolder(args)) return await runKeys(engine, args);
    return await run(await sessionOf(engine, project, args, host.project !== null));
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    // Without a controller, the version of the command line is known, and which commands there are.
    if (isVersion) return showVersion(error.message, args.includes('--json'));
    const { isCommand, showHelp } = await loadHelp();
    if (!isCommand(command)) return showHelp(args);
    throw error;
  }
}

/** @param reason why the other versions are not known. */
function showVersion(reason: string, json: boolean): number {
  const result = { command: 'version', cli: PACKAGE_VERSION, controller: null, nodes: [] };
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `hotcast  ${PACKAGE_VERSION}\n`);
  process.stderr.write(`warning: the versions of the controller and the nodes are not known: ${reason}\n`);
  return 0;
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

/** @param isNamed whether an option names the project. */
async function sessionOf(
  engine: Engine,
  project: Project | null,
  args: readonly string[],
  isNamed: boolean,
): Promise<Session> {
  const running = (): Promise<readonly string[]> => engine.projects().catch(() => []);
  if (project === null) {
    const projects = await running();
    const others = projects.length === 0 ? '' : ` (a controller runs in: ${projects.join(', ')})`;
    throw new UnavailableError(
      `no compose file in ${process.cwd()} or above it: go to the project's folder, or name the Compose project with --project${others}`,
    );
  }
  const controller = await engine.controllerOf(project.name);
  if (controller === null) {
    throw new UnavailableError(notRunning(project, isNamed, engine.start, isNamed ? await running() : []));
  }
  return { args, command: args[0] ?? '', project, engine, controller };
}
