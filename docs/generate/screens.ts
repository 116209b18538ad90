// Takes the screens of docs/cli.md, in screens/*.txt: what a terminal of 80 × 24 shows of a fleet of 30 nodes with 20 modules, of which one
// node is silent and another one refuses a module. `make screens` runs it. It needs Docker and tmux.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type Dockerode from 'dockerode';

import { engine } from '../../packages/testing/src/docker/engine.ts';
import { ComposeProject, TEST_PROJECT } from '../../test/support/docker/compose-project.ts';
import { pause } from '../../test/support/docker/pause.ts';
import { type ProcessOutput, ROOT } from '../../test/support/shell.ts';

const NODES = 30;
const SILENT = 'hoppy';
const REFUSING = 'barney';
const MODULES = (
  'accounts basket billing catalog checkout counter coupons delivery images ' +
  'invoices mail orders prices products returns reviews search sessions stock'
).split(' ');

const SCREENS = {
  push: 'hotcast push demo',
  'push-with-a-silent-node': 'hotcast push demo',
  call: "hotcast call 'demo.add(4, 5)'",
  nodes: 'hotcast nodes',
  status: 'hotcast status',
};

/** How long a command, or a node that comes back, can take (milliseconds). */
const TIMEOUT_MS = 60_000;
const POLL_MS = 200;

const PROMPT = '$';

await using project = new ComposeProject(`${TEST_PROJECT}-screens`, { COOKIE: 'dino' });
for (const module of MODULES) {
  project.writeModule(module, `export const name = (): string => ${JSON.stringify(module)};\n`);
}
say(`${NODES} nodes start`);
succeeded(await project.make('up', `NODES=${NODES}`));
succeeded(await project.hotcast('push', ...MODULES));
const docker = await engine();
// The engine does not let go of the network of a paused container.
await using _resumed = { [Symbol.asyncDispose]: () => containerOf(SILENT).unpause() };
const containers = new Map((await project.nodes()).map(({ node, container }) => [node, container]));
const containerOf = (node: string): Dockerode.Container => docker.getContainer(containers.get(node) ?? '');
project.writeModule('demo', 'export const add = (a: number, b: number): number => a + b;\n');
await take('push');
project.writeModule('demo', nextDemo(containers.get(REFUSING) ?? ''));
for (const node of [SILENT, REFUSING]) await pause(containerOf(node));
await take('push-with-a-silent-node');
await containerOf(REFUSING).unpause();
await until(async () => (await project.hotcast('status', '--json')).stdout.includes('on_load_failure'));
for (const name of ['call', 'nodes', 'status'] as const) await take(name);

/** It does not load in one container. */
function nextDemo(container: string): string {
  return `import { hostname } from 'node:os';

if (hostname() === ${JSON.stringify(container)}) throw new Error('no licence');

export const add = (a: number, b: number): number => {
  console.log('Calculating like a boss!');
  return a + b;
};
`;
}

/** What a terminal shows when a command has ended. The command itself is its first line: it would not be there if the rest did not fit. */
async function screenOf(command: string): Promise<string> {
  const server = `hotcast-screens-${process.pid}`;
  const tmux = (...args: string[]): string => execFileSync('tmux', ['-L', server, ...args], { encoding: 'utf8' });
  const env = {
    ...project.env,
    PATH: `${join(ROOT, 'setup')}:${process.env['PATH']}`,
    PS1: `${PROMPT} `,
    NO_COLOR: '1',
  };
  // A login shell, which tmux can start, has a PATH of its own.
  const shell = [
    'env',
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    'bash',
    '--norc',
    '--noprofile',
  ];
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', ...shell);
  try {
    const shown = (): string[] => tmux('capture-pane', '-p').trimEnd().split('\n');
    await until(() => shown().at(-1) === PROMPT);
    tmux('send-keys', '-l', command);
    tmux('send-keys', 'Enter');
    await until(() => shown()[0] === `${PROMPT} ${command}` && shown().length > 1 && shown().at(-1) === PROMPT);
    return shown().slice(0, -1).join('\n');
  } finally {
    tmux('kill-server');
  }
}

async function take(name: keyof typeof SCREENS): Promise<void> {
  const screen = await screenOf(SCREENS[name]);
  writeFileSync(join(import.meta.dirname, `screens/${name}.txt`), `${screen}\n`);
  say(`\n${screen}`);
}

/** @throws Error when it is not so in time. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + TIMEOUT_MS; performance.now() < deadline; await sleep(POLL_MS)) {
    if (await isSo()) return;
  }
  throw new Error(`not in time: ${isSo.toString()}`);
}

function succeeded({ exitCode, stdout, stderr }: ProcessOutput): void {
  if (exitCode !== 0) throw new Error(stdout + stderr);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
