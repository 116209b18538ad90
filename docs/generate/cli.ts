import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Command as Program, type CommandUnknownOpts, type Option } from '@commander-js/extra-typings';
import { format, resolveConfig } from 'prettier';

import { defineCli } from '../../controller/src/cli/commands.ts';
import { exampleOf } from '../../controller/src/cli/definition/add-command.ts';
import { EXIT_STATUSES } from '../../controller/src/cli/exit-status.ts';

/** The page that this script writes. With `--check` it compares the page instead, and exits with 1 if it is stale. */
const PAGE = join(import.meta.dirname, '../cli.md');

const INTRODUCTION = `# The command line

<!-- \`make docs\` writes this page from controller/src/cli/commands.ts. -->

\`hotcast\` runs on the host, from any folder of a project: \`npx hotcast push demo\`. It finds the
controller's container, and runs the command there: by the socket of the Docker engine if that is on this machine, else by the \`docker\`
command, which backups and shells take in any case. In a clone of this repository it is \`setup/hotcast\`, and the targets
of the Makefile call that: \`make push MODULE=demo\` is \`setup/hotcast push demo\`. When a command fails, make exits with 1,
whatever the exit status is.

The cluster is found as Compose finds it: by the nearest compose file upwards, and its name. These options come with every command, and
the environment has them too:

- \`--project <name>\`: another Compose project. Default: \`COMPOSE_PROJECT_NAME\`, \`HOTCAST_PROJECT\`, or the project's own name.
- \`--project-directory <path>\`: the folder of the compose file.
- \`--context <name>\`: a [context of Hotcast](operators.md#contexts), for a controller that is reached over NATS, without Docker. Default:
  \`HOTCAST_CONTEXT\`, or the one that \`hotcast context use\` has chosen. Any other name is a Docker context, for an engine on another machine.
  Default: \`DOCKER_CONTEXT\`, \`DOCKER_HOST\`, or the current one.

\`hotcast --version\` shows the versions of the command line, the controller and the nodes; without a cluster, that of the command line. \`--help\` needs
no cluster.

On a terminal, the phases of a command are shown as they go. Colours say how something went: green is as it should be, yellow is silent or open,
red is wrong. They are off with \`NO_COLOR\`, with \`TERM=dumb\`, and in a pipe.

A \`<time>\` is a number of seconds (\`10\`) or has a unit (\`500ms\`, \`10s\`, \`2m\`).`;

const COMPLETION = `## Completion

A shell completes commands, options, and the names of modules and nodes of a \`hotcast\` that is in \`PATH\` (\`npm install --global hotcast\`) or
is typed with its folder, as \`setup/hotcast\`:

\`\`\`sh
eval "$(hotcast completion bash)"        # in ~/.bashrc
eval "$(hotcast completion zsh)"         # in ~/.zshrc, after compinit
hotcast completion fish | source    # in ~/.config/fish/config.fish
\`\`\`

The cluster has to run. It is asked for names at each Tab.`;

const JSON_OUTPUT = `## JSON

With \`--json\` a command prints one line: its result, or \`{"failed": …}\` with a code, the message and the errors of the compiler. \`dev\`
prints a line \`{"saved": …}\` for each save. Warnings are on standard error. The exit status is the same. What these lines have is
in [types/output.schema.json](../types/output.schema.json) (JSON Schema) and, for TypeScript, in
[types/output.d.ts](../types/output.d.ts), whose \`Output\` is a union that \`command\` tells apart:

\`\`\`ts
import type { Output } from '@hotcast/types/output';

declare const line: string;
const output = JSON.parse(line) as Output;
if ('command' in output && output.command === 'push') console.log(output.outcome, output.nodes);
\`\`\`

New fields can be added; fields are removed and changed only with a line in the [changelog](../CHANGELOG.md).`;

const MANY_NODES = `## Many nodes

In a list of more than eight lines, equal answers are one line, and the nodes that differ are named. So the commands fit a
terminal of 80 × 24 with 30 nodes and 20 modules. \`--verbose\` (with make, \`VERBOSE=1\`) gives a line for each node.
\`--json\` has all of them. These screens are of a real fleet (\`make screens\` takes them again, on a machine that is busy with 30 nodes). The
second push comes while \`hoppy\` and \`barney\` hang: it waits for them until its \`--timeout\`. Then \`barney\` is back, and refuses what was pushed:`;

/** What docs/generate/screens.ts has taken, in the order in which it was typed. */
const SCREENS = ['push', 'push-with-a-silent-node', 'call', 'nodes', 'status'].map(name =>
  readFileSync(join(import.meta.dirname, `screens/${name}.txt`), 'utf8').trimEnd(),
);

const page = await formatted(describeCli());
if (!process.argv.includes('--check')) writeFileSync(PAGE, page);
else if (currentPage() !== page) {
  process.stderr.write('docs/cli.md is stale: run make docs\n');
  process.exitCode = 1;
}

function describeCli(): string {
  const program = new Program('hotcast');
  const unused = (): Promise<void> => Promise.resolve();
  const actions = {
    send: unused,
    backup: unused,
    restore: unused,
    shell: unused,
    serve: unused,
    print: () => undefined,
  };
  defineCli(program, { author: '', change: '', version: '' }, actions);
  const commands = leavesOf(program);
  const common = commonOptions(commands.filter(command => exampleOf(command) !== null));
  return [
    INTRODUCTION,
    MANY_NODES,
    ...SCREENS.map(screen => `\`\`\`console\n${screen}\n\`\`\``),
    '## Exit statuses',
    bullets(Object.entries(EXIT_STATUSES).map(([status, meaning]) => `**${status}**: ${meaning}`)),
    '## Options of every command',
    bullets(common.map(describeOption)),
    JSON_OUTPUT,
    COMPLETION,
    ...commands.flatMap(command => describeCommand(command, common)),
  ].join('\n\n');
}

/** The commands that run something: `keys` itself only groups others. */
function leavesOf(command: CommandUnknownOpts): CommandUnknownOpts[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}

/** The options that all of the commands have, with the defaults of the first command. */
function commonOptions([first, ...others]: readonly CommandUnknownOpts[]): Option[] {
  const inAll = ({ flags }: Option): boolean =>
    others.every(({ options }) => options.some(option => option.flags === flags));
  return first?.options.filter(inAll) ?? [];
}

function describeCommand(command: CommandUnknownOpts, common: readonly Option[]): string[] {
  const known = new Set(common.map(describeOption));
  const options = command.options.map(describeOption).filter(line => !known.has(line));
  const words = command.registeredArguments.map(argument => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const usage = [pathOf(command), ...words].join(' ');
  const example = exampleOf(command);
  return [
    `## \`${usage}\``,
    sentence(command.description()),
    ...(example === null ? [] : [`\`\`\`sh\n${example}\n\`\`\``]),
    ...(options.length === 0 ? [] : [bullets(options)]),
  ];
}

function pathOf(command: CommandUnknownOpts): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function describeOption({ flags, description, mandatory, defaultValue, defaultValueDescription }: Option): string {
  // The default of `--no-check` is that the check is on, as its description implies.
  const value = defaultValue === undefined || defaultValue === true ? null : JSON.stringify(defaultValue);
  const shown = value === null ? '' : ` Default: \`${defaultValueDescription ?? value}\`.`;
  return `\`${flags}\`${mandatory ? ' (required)' : ''}: ${description}.${shown}`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function bullets(lines: readonly string[]): string {
  return lines.map(line => `- ${line}`).join('\n');
}

async function formatted(markdown: string): Promise<string> {
  return format(markdown, { ...(await resolveConfig(PAGE)), parser: 'markdown' });
}

function currentPage(): string | null {
  try {
    return readFileSync(PAGE, 'utf8');
  } catch {
    return null;
  }
}
