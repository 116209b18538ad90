import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import type { PushResult } from '../../controller/src/api/results.ts';
import { ControlConnection, type Live } from '../../test/support/cluster/control-connection.ts';
import { type Hotcast, pushSample } from '../hotcast.ts';
import { loadedOn } from '../rounds.ts';
import { run } from '../run.ts';
import { figuresOf, mediansOf } from '../stats.ts';
import { subjectSource } from '../subject.ts';

const MODULE = 'edited';

/** Nobody saves a file more often (milliseconds). By then the controller has the process for the next preflight. */
const EDIT_INTERVAL_MS = 500;

/** One edit (milliseconds): until it is live; what the cluster needed of that; its parts, as far as they are known. */
interface EditSample {
  readonly wall: number;
  readonly cluster: number;
  readonly phases: Readonly<Record<string, number>>;
}

export type EditToLive = Awaited<ReturnType<typeof measureEdits>>;

/** From writing the file until every node runs it, as users do it: with `make push`, and with `make dev`, also for small code. */
export async function measureEdits(hotcast: Hotcast, bytes: number, rounds: number, warmUp: number) {
  const command: EditSample[] = [];
  for (let round = 0; round < warmUp + rounds; round += 1) {
    command.push(await editByCommand(hotcast, subjectSource(bytes, round)));
  }
  await hotcast.clear();
  const saves = await savedEdits(hotcast, bytes, warmUp + rounds);
  const smallSaves = await savedEdits(hotcast, 1_024, warmUp + rounds);
  await hotcast.clear();
  const figures = (samples: readonly EditSample[]) => ({
    wall: figuresOf(samples.slice(warmUp).map(({ wall }) => wall)),
    cluster: figuresOf(samples.slice(warmUp).map(({ cluster }) => cluster)),
    phases: mediansOf(samples.slice(warmUp).map(({ phases }) => phases)),
  });
  return { bytes, command: figures(command), dev: figures(saves), small: figures(smallSaves) };
}

/** `make push`, to the end of the command. */
async function editByCommand(hotcast: Hotcast, source: string): Promise<EditSample> {
  const writtenAt = await write(hotcast, source);
  const env = { HOTCAST_PROJECT: hotcast.fleet.project };
  const output = await run('make', ['--no-print-directory', 'push', `MODULE=${MODULE} --json`], { env });
  const { times } = JSON.parse(output) as PushResult;
  return { wall: performance.now() - writtenAt, cluster: pushSample(times).ms, phases: {} };
}

/** `make dev`, which finds the saves itself, until the last node has answered. */
async function savedEdits(hotcast: Hotcast, bytes: number, count: number): Promise<EditSample[]> {
  using line = new ControlConnection(await hotcast.fleet.id('controller'));
  const watched = line.dev();
  await once(watched, 'watching');
  const samples: EditSample[] = [];
  while (samples.length < count) {
    await pause(EDIT_INTERVAL_MS);
    const live = once(watched, 'live');
    const writtenAt = Date.now();
    hotcast.write(MODULE, subjectSource(bytes, samples.length));
    const [{ at, result }] = (await live) as [Live];
    const wall = at - writtenAt;
    const { ms: cluster, phases } = pushSample(loadedOn(hotcast.nodes, result).times);
    // The rest is until the controller begins: it sees the save, and waits for others that belong to it.
    const rest = wall - result.times.compile - cluster;
    samples.push({ wall, cluster, phases: { compile: result.times.compile, ...phases, rest } });
  }
  return samples;
}

/** Writes the file after a pause; the time before. */
async function write(hotcast: Hotcast, source: string): Promise<number> {
  await pause(EDIT_INTERVAL_MS);
  const writtenAt = performance.now();
  hotcast.write(MODULE, source);
  return writtenAt;
}
