import { setTimeout as pause } from 'node:timers/promises';

import type { Report } from '../controller/src/api/report.ts';
import type { PushResult } from '../controller/src/api/results.ts';
import { type Hotcast, pushSample } from './hotcast.ts';
import { run } from './run.ts';
import { figuresOf, mediansOf } from './stats.ts';
import { subjectSource } from './subject.ts';

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

/** From writing the file until every node runs it, with types checked, as users do it. */
export async function measureEdits(hotcast: Hotcast, bytes: number, rounds: number, warmUp: number) {
  const command: EditSample[] = [];
  const warm: EditSample[] = [];
  for (let round = 0; round < warmUp + rounds; round += 1) {
    command.push(await editByCommand(hotcast, subjectSource(bytes, 2 * round)));
    warm.push(await editWarm(hotcast, subjectSource(bytes, 2 * round + 1)));
  }
  await hotcast.clear();
  const figures = (samples: readonly EditSample[]) => ({
    wall: figuresOf(samples.slice(warmUp).map(({ wall }) => wall)),
    cluster: figuresOf(samples.slice(warmUp).map(({ cluster }) => cluster)),
    phases: mediansOf(samples.slice(warmUp).map(({ phases }) => phases)),
  });
  return { bytes, command: figures(command), warm: figures(warm) };
}

/** `make push`, to the end of the command. */
async function editByCommand(hotcast: Hotcast, source: string): Promise<EditSample> {
  const writtenAt = await write(hotcast, source);
  const env = { HOTCAST_PROJECT: hotcast.fleet.project };
  const output = await run('make', ['--no-print-directory', 'push', `MODULE=${MODULE} --json`], { env });
  const { times } = JSON.parse(output) as PushResult;
  return { wall: performance.now() - writtenAt, cluster: pushSample(times).ms, phases: {} };
}

/** A push over an open connection to the controller, until the last node has answered. */
async function editWarm(hotcast: Hotcast, source: string): Promise<EditSample> {
  let wall = NaN;
  const writtenAt = await write(hotcast, source);
  const onReport = (report: Report): void => {
    if (report.type !== 'progress' || report.phase !== 'commit' || report.answered < report.expected) return;
    wall = performance.now() - writtenAt;
  };
  const { times } = await hotcast.push(MODULE, { check: true, onReport });
  const { ms: cluster, phases } = pushSample(times);
  // The rest is not timed by the controller: the way there and back.
  return { wall, cluster, phases: { compile: times.compile, ...phases, rest: wall - times.compile - cluster } };
}

/** Writes the file after a pause; the time before. */
async function write(hotcast: Hotcast, source: string): Promise<number> {
  await pause(EDIT_INTERVAL_MS);
  const writtenAt = performance.now();
  hotcast.write(MODULE, source);
  return writtenAt;
}
