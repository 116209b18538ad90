import { setTimeout as pause } from 'node:timers/promises';

import type { Report } from '../../controller/src/api/command.ts';
import { run } from '../command.ts';
import type { ControlLine } from '../control-line.ts';
import { type Figures, figuresOf, phaseMedians } from '../figures.ts';
import { type HotcastFleet, ModuleFile } from '../hotcast-fleet.ts';
import { pushSample } from './push.ts';
import { subjectSource } from './subject.ts';

const MODULE = 'edited';

/** Nobody saves a file more often than this (milliseconds); the controller has the next preflight's process ready by then. */
const BETWEEN_EDITS = 500;

/** From writing the file on; types are checked, as users have it. Milliseconds. */
export interface EditToLive {
  readonly bytes: number;
  /** `make push`, from writing the file to the end of the command; of it, what the cluster needed as the command tells it. */
  readonly command: { readonly wall: Figures; readonly cluster: Figures };
  /** A push over a connection to the controller that is open: until the last node's answer is there. */
  readonly warm: {
    readonly wall: Figures;
    readonly cluster: Figures;
    /** Medians of the parts; `rest` is all that the controller does not time: the way there and back. */
    readonly phases: Readonly<Record<string, number>>;
  };
}

export interface EditToLiveOptions {
  readonly fleet: HotcastFleet;
  /** The fleet's Compose project. */
  readonly project: string;
  readonly line: ControlLine;
  readonly bytes: number;
  /** Edits that count, for each of the two ways. */
  readonly rounds: number;
  readonly warmUp: number;
}

/** @throws Error when an edit does not reach every node. */
export async function measureEditToLive(options: EditToLiveOptions): Promise<EditToLive> {
  const { fleet, project, line, bytes, rounds, warmUp } = options;
  using file = new ModuleFile(fleet, MODULE);
  const commands: { wall: number; cluster: number }[] = [];
  const warm: WarmSample[] = [];
  for (let round = 1 - warmUp; round <= rounds; round += 1) {
    const [first, second] = [2 * round, 2 * round + 1].map(version => subjectSource(bytes, version + 2 * warmUp));
    await pause(BETWEEN_EDITS);
    const command = await timed(async () => {
      file.write(first ?? '');
      return run('make', ['--no-print-directory', 'push', `MODULE=${MODULE}`], {
        ...OWN_MAKE,
        HOTCAST_PROJECT: project,
      });
    });
    await pause(BETWEEN_EDITS);
    const sample = await editWarm(options, file, second ?? '');
    if (round < 1) continue;
    commands.push({ wall: command.ms, cluster: clusterTime(command.result) });
    warm.push(sample);
  }
  await line.remove(MODULE);
  return {
    bytes,
    command: {
      wall: figuresOf(commands.map(each => each.wall)),
      cluster: figuresOf(commands.map(each => each.cluster)),
    },
    warm: {
      wall: figuresOf(warm.map(each => each.wall)),
      cluster: figuresOf(warm.map(each => each.cluster)),
      phases: phaseMedians(warm.map(each => each.phases)),
    },
  };
}

/** One edit over an open connection (milliseconds). */
interface WarmSample {
  readonly wall: number;
  readonly cluster: number;
  readonly phases: Readonly<Record<string, number>>;
}

async function editWarm({ fleet, line }: EditToLiveOptions, file: ModuleFile, source: string): Promise<WarmSample> {
  let liveAt = NaN;
  const startedAt = performance.now();
  file.write(source);
  const pushed = await line.push(MODULE, {
    check: true,
    onReport: report => {
      if (isLastAnswer(report)) liveAt = performance.now();
    },
  });
  const wall = liveAt - startedAt;
  const { ms: cluster, phases } = pushSample(pushed, fleet.nodes);
  const { compile } = pushed.times;
  return { wall, cluster, phases: { compile, ...phases, rest: wall - compile - cluster } };
}

/** Whether every node has told that it runs what was pushed. */
function isLastAnswer(report: Report): boolean {
  return report.type === 'progress' && report.phase === 'commit' && report.answered === report.expected;
}

/** A make that does not know of the one that started us. */
const OWN_MAKE = { MAKEFLAGS: '', MFLAGS: '', MAKELEVEL: '' };

/**
 * What the cluster needed for a push, of the command's last line: all parts that it tells but the compiler's
 * (milliseconds). The skew is within them.
 *
 * @throws TypeError when the command printed something else.
 */
export function clusterTime(output: string): number {
  const last = output.trim().split('\n').at(-1) ?? '';
  const parts = [...last.matchAll(/(\w+) ([\d.]+) ms/g)].map(([, name, time]) => ({ name, time: Number(time) }));
  if (parts[0]?.name !== 'compile') throw new TypeError(`a push ended with ${JSON.stringify(last)}`);
  return parts.reduce((all, { name, time }) => (name === 'compile' || name === 'skew' ? all : all + time), 0);
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const startedAt = performance.now();
  const result = await work();
  return { result, ms: performance.now() - startedAt };
}
