import { openSync, readSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';

import { orNullAfter } from '../../../shared/timeout.ts';
import { isDebuggerAttached } from './attached-debugger.ts';
import { readBans, withBan, writeBans } from './bans.ts';
import { MainThreadInspector, type ModuleLocation } from './main-thread-inspector.ts';
import { observe, type Sample, type Stall } from './stall-detector.ts';
import type { WatchdogData } from './start-watchdog.ts';
import { ActivityBuffer } from './activity-buffer.ts';

/** The time between two samples of the main thread (milliseconds). */
const SAMPLE_INTERVAL_MS = 250;

/** The timeout of the inspector (milliseconds). It gets no answer while the main thread runs native code. */
const INSPECTOR_TIMEOUT_MS = 3_000;

/** Memory that grew by this share of the limit in {@link GROWTH_SAMPLES} was allocated by the code that runs now. */
const GROWTH_SHARE = 0.2;
const GROWTH_SAMPLES = 8;

const data = workerData as WatchdogData;
const activity = new ActivityBuffer(data.memory);

/** The kernel's statistics of the main thread, whose id is that of the process; null where they do not exist. */
const schedule = openSchedule();
const scheduleText = Buffer.alloc(64);

let stall: Stall = { blocked: 0, last: takeSample() };
let sizes: number[] = [];

// The thread sleeps between samples, which costs less than a timer. Its event loop turns only while it uses the inspector.
const never = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  Atomics.wait(never, 0, 0, SAMPLE_INTERVAL_MS);
  await check();
}

async function check(): Promise<void> {
  stall = observe(stall, takeSample(), SAMPLE_INTERVAL_MS);
  const size = process.memoryUsage.rss() / 2 ** 20;
  sizes.push(size);
  if (sizes.length > GROWTH_SAMPLES) sizes.shift();
  const isStalled = stall.blocked >= data.eventLoopTimeoutMs;
  if (!isStalled && size <= data.memoryLimitMb) return;
  if (isDebuggerAttached()) await leaveAlone();
  else if (isStalled) await onStall(activity.beats);
  else await onMemory(size - Math.min(...sizes));
}

/** Waits with the limits until no debugger is attached: a thread that stands at a breakpoint is not blocked by a module. */
async function leaveAlone(): Promise<void> {
  const log = (msg: string): void => write({ level: 40, time: new Date().toISOString(), node: data.node, msg });
  log('a debugger is attached: the limits of the event loop and the memory do not apply until it leaves');
  while (isDebuggerAttached()) await setTimeout(SAMPLE_INTERVAL_MS);
  log('the debugger has left: the limits apply again');
  stall = { blocked: 0, last: takeSample() };
  sizes = [];
}

/** Kills the process because the main thread is blocked, unless it runs again meanwhile. */
async function onStall(beats: number): Promise<void> {
  using inspector = new MainThreadInspector();
  const location = await runningModule(inspector);
  if (activity.beats !== beats) return;
  restart('stalled', location, `blocked the event loop of this node for ${Math.round(stall.blocked / 1_000)} s`);
}

/** Kills the process because it is too large, unless a garbage collection frees enough memory. */
async function onMemory(growth: number): Promise<void> {
  using inspector = new MainThreadInspector();
  const location = growth > GROWTH_SHARE * data.memoryLimitMb ? await runningModule(inspector) : null;
  await orNullAfter(INSPECTOR_TIMEOUT_MS, inspector.collectGarbage());
  const size = Math.round(process.memoryUsage.rss() / 2 ** 20);
  sizes = [];
  if (size > data.memoryLimitMb) restart('memory', location, `took this node to ${size} MB of memory`);
}

/** Bans the module's revision, logs the reason and kills the process. The container engine starts it again. */
function restart(reason: 'stalled' | 'memory', location: ModuleLocation | null, deed: string): void {
  const source = location?.source ? `, in ${location.source}` : '';
  const time = new Date().toISOString();
  const detail = `${deed} at ${time}${source}`;
  const fields = { level: 50, time, node: data.node, reason, script: location?.script ?? null };
  const cause = location === null ? `something ${deed}, and no module was found in it` : `${location.script} ${detail}`;
  try {
    if (location !== null) writeBans(data.bansFile, withBan(readBans(data.bansFile), location.script, detail));
    write({ ...fields, msg: `the node restarts: ${cause}` });
  } catch (error) {
    write({ ...fields, err: String(error), msg: `the node restarts, and the ban could not be written: ${cause}` });
  }
  process.kill(process.pid, 'SIGKILL');
}

/** The module whose code the main thread runs, without the source when the inspector gets no answer; null for none. */
async function runningModule(inspector: MainThreadInspector): Promise<ModuleLocation | null> {
  const found = await orNullAfter(INSPECTOR_TIMEOUT_MS, inspector.findModule());
  const { script } = activity;
  return found ?? (script === null ? null : { script, source: null });
}

function takeSample(): Sample {
  return { at: performance.now(), beats: activity.beats, waited: waitedMs() };
}

/** The total time that the main thread has waited for a processor (milliseconds); 0 where the kernel does not count it. */
function waitedMs(): number {
  if (schedule === null) return 0;
  const length = readSync(schedule, scheduleText, 0, scheduleText.length, 0);
  // The second number is in nanoseconds.
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

/** Writes one line to the log in pino's format. The logger itself is in the blocked thread. */
function write(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
