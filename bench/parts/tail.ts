import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import Docker from 'dockerode';

import { ControlConnection } from '../../test/support/cluster/control-connection.ts';
import { memoryOf } from '../docker.ts';
import { type Hotcast, hotcastContender } from '../hotcast.ts';
import { figuresOf } from '../stats.ts';

/** What the module logs on each node: so many lines a second. */
const LINES = 1_000;

const NOISY = `
export let line = 0;
setInterval(() => { for (let each = 0; each < ${LINES / 100}; each += 1) console.log('line', line += 1); }, 10);
`;

/** How long the module logs before something is measured, and how long a tail is shown (milliseconds). */
const SETTLED_MS = 15_000;

/** How long a tail is shown before a push is timed: its start takes processor time too (milliseconds). */
const BEGUN_MS = 500;

export type TailCost = Awaited<ReturnType<typeof measureTail>>;

/** Pushes while a module logs a thousand lines a second on each node, in turns without a tail and while one is shown. */
export async function measureTail(hotcast: Hotcast, bytes: number, rounds: number, warmUp: number) {
  const docker = new Docker();
  const { fleet } = hotcast;
  const ids = (await Promise.all(['node', 'controller', 'nats'].map(fleet.ids))).flat();
  const pusher = hotcastContender('Hotcast', hotcast);
  const push = async (): Promise<number> => {
    const { ms } = await pusher.push(bytes);
    await pause(pusher.pauseMs);
    return ms;
  };
  hotcast.write('noisy', NOISY);
  await hotcast.push('noisy');
  await pause(SETTLED_MS);
  const [without, shown]: [number[], number[]] = [[], []];
  for (let round = -warmUp; round < rounds; round += 1) {
    without.push(await push());
    shown.push(await whileShown(hotcast, push));
  }
  const before = await memoryOf(docker, ids);
  const after = await whileShown(hotcast, async () => {
    await pause(SETTLED_MS);
    return memoryOf(docker, ids);
  });
  await hotcast.clear();
  return {
    lines: LINES,
    without: figuresOf(without.slice(warmUp)),
    shown: figuresOf(shown.slice(warmUp)),
    /** The largest growth of a container's memory while a tail was shown (bytes). */
    grown: Math.max(...after.map((memory, index) => memory - (before[index] ?? NaN))),
  };
}

/** Runs something while the logs of all nodes are shown. */
async function whileShown<T>(hotcast: Hotcast, body: () => Promise<T>): Promise<T> {
  using line = new ControlConnection(await hotcast.fleet.id('controller'));
  await once(line.tail(), 'logged');
  await pause(BEGUN_MS);
  return await body();
}
