import { readFileSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

import { readBans, withBan, writeBans } from './bans.ts';
import { type Culprit, Pause } from './culprit.ts';
import { observe, type Sample, type Stall } from './stall-clock.ts';
import type { WatchdogData } from './watchdog.ts';
import { Whereabouts } from './whereabouts.ts';

/** How often the main thread is looked at (milliseconds). */
const STEP = 100;

/** The inspector gets this long to say where the main thread is (milliseconds); it can't while that is in native code. */
const LOOK_MAY_TAKE = 3_000;

/** Memory that grew by this share of the limit in {@link GROWTH_STEPS} is a bomb, and whose code runs is to blame. */
const GROWTH = 0.2;
const GROWTH_STEPS = 20;

const data = workerData as WatchdogData;
const whereabouts = new Whereabouts(data.memory);

let stall: Stall = { blocked: 0, last: sample() };
let sizes: readonly number[] = [];
let looking = false;

setInterval(() => {
  if (!looking) void look();
}, STEP);

async function look(): Promise<void> {
  looking = true;
  stall = observe(stall, sample(), STEP);
  sizes = [...sizes, process.memoryUsage.rss() / 2 ** 20].slice(-GROWTH_STEPS);
  const size = sizes.at(-1) ?? 0;
  if (stall.blocked >= data.loopMayBlock) await onStall(whereabouts.beats);
  else if (size > data.memoryMayUse) await onMemory(size - Math.min(...sizes));
  looking = false;
}

/** The main thread is blocked: it is brought down, unless it is free again meanwhile. */
async function onStall(beats: number): Promise<void> {
  using pause = new Pause();
  const culprit = (await within(pause.culprit())) ?? entered();
  if (whereabouts.beats !== beats) return;
  bringDown('stalled', culprit, `blocked the event loop of this node for ${Math.round(stall.blocked / 1_000)} s`);
}

/** The process is too large: it is brought down, unless most of that was garbage. */
async function onMemory(growth: number): Promise<void> {
  using pause = new Pause();
  const isBomb = growth > GROWTH * data.memoryMayUse;
  const culprit = isBomb ? ((await within(pause.culprit())) ?? entered()) : null;
  await within(pause.collectGarbage());
  const size = Math.round(process.memoryUsage.rss() / 2 ** 20);
  sizes = [];
  if (size > data.memoryMayUse) bringDown('memory', culprit, `took this node to ${size} MB of memory`);
}

/** Remembers who is to blame, says so, and kills the process, so that the engine starts it again. */
function bringDown(reason: 'stalled' | 'memory', culprit: Culprit | null, deed: string): void {
  const place = culprit?.where ? `, in ${culprit.where}` : '';
  const detail = `${deed} at ${new Date().toISOString()}${place}`;
  const fields = {
    level: 50,
    time: new Date().toISOString(),
    node: data.node,
    reason,
    script: culprit?.script ?? null,
  };
  const who = culprit === null ? `no module is to blame: something ${deed}` : `${culprit.script} ${detail}`;
  try {
    if (culprit !== null) writeBans(data.bansFile, withBan(readBans(data.bansFile), culprit.script, detail));
    write({ ...fields, msg: `the node restarts: ${who}` });
  } catch (error) {
    write({ ...fields, err: String(error), msg: `the node restarts, and can't remember why: ${who}` });
  }
  process.kill(process.pid, 'SIGKILL');
}

function entered(): Culprit | null {
  const { script } = whereabouts;
  return script === null ? null : { script, where: null };
}

function sample(): Sample {
  return { at: performance.now(), beats: whereabouts.beats, waited: waited() };
}

/** How long the main thread has waited for a processor in all (milliseconds); 0 where the kernel does not count that. */
function waited(): number {
  try {
    // Its second number, nanoseconds; the main thread's id is that of the process.
    const [, nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return 0;
  }
}

/** One line in the log, as pino writes it. The logger itself is in the thread that hangs. */
function write(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function within<T>(promise: Promise<T>): Promise<T | null> {
  const late = new Promise<null>(resolve => setTimeout(resolve, LOOK_MAY_TAKE, null));
  return Promise.race([promise.catch(() => null), late]);
}
