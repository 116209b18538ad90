import { openSync, readSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';

import type { BanCause } from '../../../protocol/messages.ts';
import { EXPRESSIONS } from '../../../protocol/names.ts';
import { processMemory } from '../../../shared/process-memory.ts';
import { orNullAfter } from '../../../shared/timeout.ts';
import { isDebuggerAttached } from './attached-debugger.ts';
import { readBans, withBan, writeBans } from './bans.ts';
import { MainThreadInspector, type ModuleLocation } from './main-thread-inspector.ts';
import { MemoryInspector } from './memory-inspector.ts';
import { type Excess, MemoryWatch } from './memory-watch.ts';
import { readRestarts, type Restarts, withRestart, writeRestarts } from './restarts.ts';
import { observe, type Sample, type Stall } from './stall-detector.ts';
import type { WatchdogData } from './start-watchdog.ts';
import { ActivityBuffer } from './activity-buffer.ts';

/** The time between two samples of the main thread (milliseconds). */
const SAMPLE_INTERVAL_MS = 250;

/** The timeout of the inspector (milliseconds). It gets no answer while the main thread runs native code. */
const INSPECTOR_TIMEOUT_MS = 3_000;

/** The same while memory is above its limit: it can grow fast. */
const LOCATE_TIMEOUT_MS = 1_000;

/** How many revisions a restart without a culprit names. */
const MAX_NAMED_HOLDERS = 3;

const data = workerData as WatchdogData;
const activity = new ActivityBuffer(data.memory);

/** The kernel's statistics of the main thread, whose id is that of the process; null where they do not exist. */
const schedule = openSchedule();
const scheduleText = Buffer.alloc(64);

let stall: Stall = { blocked: 0, last: takeSample() };

const { resident } = processMemory();
const memory = new MemoryWatch({
  limits: data.memoryLimits,
  activity,
  inspector: new MemoryInspector(),
  residentMb: () => resident() / 2 ** 20,
  now: () => performance.now(),
  sleep: setTimeout,
  onAlarm: alarmMb => remember(restarts => ({ ...restarts, alarmMb })),
});

// The thread sleeps between samples, which costs less than a timer. Its event loop turns only while it uses the inspector.
const never = new Int32Array(new SharedArrayBuffer(4));
for (;;) {
  Atomics.wait(never, 0, 0, SAMPLE_INTERVAL_MS);
  await check();
}

async function check(): Promise<void> {
  stall = observe(stall, takeSample(), SAMPLE_INTERVAL_MS);
  const isStalled = stall.blocked >= data.eventLoopTimeoutMs;
  const isLarge = memory.look();
  if (!isStalled && !isLarge) return;
  if (isDebuggerAttached()) return leaveAlone();
  if (isStalled) return onStall(activity.beats);
  const excess = await memory.measure();
  if (excess !== null) return onExcess(excess);
  // Garbage collections of the check block the main thread, too. Their time does not count.
  stall = { blocked: stall.blocked, last: { ...takeSample(), beats: stall.last.beats } };
}

/** Waits with the limits until no debugger is attached: a thread that stands at a breakpoint is not blocked by a module. */
async function leaveAlone(): Promise<void> {
  const log = (msg: string): void => write({ level: 40, time: new Date().toISOString(), node: data.node, msg });
  log('a debugger is attached: the limits of the event loop and the memory do not apply until it leaves');
  while (isDebuggerAttached()) await setTimeout(SAMPLE_INTERVAL_MS);
  log('the debugger has left: the limits apply again');
  stall = { blocked: 0, last: takeSample() };
}

/** Kills the process because the main thread is blocked, unless it runs again meanwhile. */
async function onStall(beats: number): Promise<void> {
  using inspector = new MainThreadInspector();
  const location = await runningModule(inspector);
  if (activity.beats !== beats) return;
  restart('stalled', location, `blocked the event loop of this node for ${Math.round(stall.blocked / 1_000)} s`);
}

/** Kills the process because it has too much memory. */
async function onExcess({ kind, mb, culprit, holders }: Excess): Promise<void> {
  const { liveMb, residentMb: maxResidentMb } = data.memoryLimits;
  if (culprit !== null) {
    const deed = `took this node to ${Math.round(mb)} MB of memory`;
    // At once: while the inspector looks for the source, memory can grow to where the kernel ends the process.
    ban('memory', { script: culprit.script, source: null }, deed);
    using inspector = new MainThreadInspector();
    const location = kind === 'live' ? await locate(inspector, culprit) : { script: culprit.script, source: null };
    return restart('memory', location, deed);
  }
  const held =
    kind === 'live'
      ? `it holds ${Math.round(mb)} MB, more than its limit of ${Math.round(liveMb)} MB`
      : `its process takes ${Math.round(mb)} MB with native memory, more than ${Math.round(maxResidentMb)} MB (90 % of ` +
        'NODE_MEMORY, or twice MEMORY_LIMIT_MB)';
  const { memoryNote } = data;
  const note = memoryNote === null ? '' : `. ${memoryNote}`;
  end('memory', null, `${held}, and no single module is to blame${namesOf(holders)}${note}`);
}

/** The largest holders, as a part of a sentence. */
function namesOf(holders: Excess['holders']): string {
  const named = holders
    .slice(0, MAX_NAMED_HOLDERS)
    .map(({ script, bytes }) => `${script} ${Math.round(bytes / 2 ** 20)} MB`);
  return named.length === 0 ? '' : `; of what was allocated last, ${named.join(', ')}`;
}

/** Bans the module's revision, and ends the process. */
function restart(reason: BanCause, location: ModuleLocation | null, deed: string): void {
  if (location === null) return end(reason, null, `something ${deed}, and no module was found in it`);
  end(reason, location.script, `${location.script} ${ban(reason, location, deed)}`);
}

/** Bans the module's revision. Returns what it did, for people. */
function ban(cause: BanCause, { script, source }: ModuleLocation, deed: string): string {
  // Nothing of an expression could be loaded again.
  if (script.startsWith(`${EXPRESSIONS}@`)) return deed;
  const detail = `${deed} at ${new Date().toISOString()}${source === null ? '' : `, in ${source}`}`;
  try {
    writeBans(data.bansFile, withBan(readBans(data.bansFile), script, detail, cause));
    return detail;
  } catch (error) {
    return `${detail}; the ban could not be written: ${String(error)}`;
  }
}

/** Logs why, and kills the process. The container engine starts it again. Restarts with nobody to blame are counted. */
function end(reason: BanCause, script: string | null, cause: string): void {
  remember(restarts => (script === null ? withRestart(restarts, Date.now()) : { ...restarts, alarmMb: null }));
  const time = new Date().toISOString();
  write({ level: 50, time, node: data.node, reason, script, msg: `the node restarts: ${cause}` });
  process.kill(process.pid, 'SIGKILL');
}

/** Finds the source of a culprit: of the function that allocated most, or of the code that runs. */
async function locate(inspector: MainThreadInspector, { script, position }: NonNullable<Excess['culprit']>) {
  if (position !== null) return { script, source: await orNullAfter(LOCATE_TIMEOUT_MS, inspector.sourceOf(position)) };
  const found = await orNullAfter(LOCATE_TIMEOUT_MS, inspector.findModule());
  return { script, source: found?.script === script ? found.source : null };
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

/** Changes what the node remembers of its restarts. A full disk must not keep the watchdog from its work. */
function remember(change: (restarts: Restarts) => Restarts): void {
  try {
    writeRestarts(data.restartsFile, change(readRestarts(data.restartsFile)));
  } catch (error) {
    const msg = 'a restart could not be saved';
    write({ level: 40, time: new Date().toISOString(), node: data.node, err: String(error), msg });
  }
}

/** Writes one line to the log in pino's format. The logger itself is in the blocked thread. */
function write(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
