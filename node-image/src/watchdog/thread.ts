import { openSync, readSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

import { readBans, withBan, writeBans } from './bans.ts';
import { type Culprit, MainThreadInspector } from './main-thread-inspector.ts';
import { observe, type Sample, type Stall } from './stall-detector.ts';
import type { WatchdogData } from './watchdog.ts';
import { ActivityBuffer } from './activity-buffer.ts';

/** How often the main thread is looked at (milliseconds). */
const STEP = 250;

/** The inspector gets this long to say where the main thread is (milliseconds); it can't while that is in native code. */
const LOOK_MAY_TAKE = 3_000;

/** Memory that grew by this share of the limit in {@link GROWTH_STEPS} is a bomb, and whose code runs is to blame. */
const GROWTH = 0.2;
const GROWTH_STEPS = 8;

const data = workerData as WatchdogData;
const activity = new ActivityBuffer(data.memory);

/** What the kernel counts of the main thread, whose id is that of the process; null where it does not. */
const schedule = openSchedule();
const scheduleText = Buffer.alloc(64);

let stall: Stall = { blocked: 0, last: sample() };
let sizes: number[] = [];

// Asleep in between, which costs less than a timer; its own event loop turns while the inspector is asked.
const never = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  Atomics.wait(never, 0, 0, STEP);
  await look();
}

async function look(): Promise<void> {
  stall = observe(stall, sample(), STEP);
  const size = process.memoryUsage.rss() / 2 ** 20;
  sizes.push(size);
  if (sizes.length > GROWTH_STEPS) sizes.shift();
  if (stall.blocked >= data.maxBlockMs) await onStall(activity.beats);
  else if (size > data.maxMemoryMb) await onMemory(size - Math.min(...sizes));
}

/** The main thread is blocked: it is brought down, unless it is free again meanwhile. */
async function onStall(beats: number): Promise<void> {
  using pause = new MainThreadInspector();
  const culprit = (await within(pause.culprit())) ?? entered();
  if (activity.beats !== beats) return;
  bringDown('stalled', culprit, `blocked the event loop of this node for ${Math.round(stall.blocked / 1_000)} s`);
}

/** The process is too large: it is brought down, unless most of that was garbage. */
async function onMemory(growth: number): Promise<void> {
  using pause = new MainThreadInspector();
  const isBomb = growth > GROWTH * data.maxMemoryMb;
  const culprit = isBomb ? ((await within(pause.culprit())) ?? entered()) : null;
  await within(pause.collectGarbage());
  const size = Math.round(process.memoryUsage.rss() / 2 ** 20);
  sizes = [];
  if (size > data.maxMemoryMb) bringDown('memory', culprit, `took this node to ${size} MB of memory`);
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
  const { script } = activity;
  return script === null ? null : { script, where: null };
}

function sample(): Sample {
  return { at: performance.now(), beats: activity.beats, waited: waited() };
}

/** How long the main thread has waited for a processor in all (milliseconds); 0 where the kernel does not count that. */
function waited(): number {
  if (schedule === null) return 0;
  const length = readSync(schedule, scheduleText, 0, scheduleText.length, 0);
  // Its second number, nanoseconds.
  const [, nanoseconds] = scheduleText.toString('latin1', 0, length).split(' ');
  return Number(nanoseconds) / 1e6;
}

function openSchedule(): number | null {
  try {
    return openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  } catch {
    return null;
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
