import type { ActivityBuffer } from './activity-buffer.ts';
import { grownSince, type Holder, mainHolder } from './holders.ts';
import type { MemoryInspector } from './memory-inspector.ts';

/** From this share of the limit on, allocations are sampled. */
const SAMPLING_SHARE = 0.5;

/** How many samples V8 takes until memory has grown by the limit. */
const SAMPLES_PER_LIMIT = 1_000;

/** A module that took this share of the limit can be blamed. */
const BLAME_SHARE = 0.1;

/** What was allocated since the sampling started is evidence if that was not longer ago (milliseconds). */
const FAST_GROWTH_MS = 10_000;

/** How often memory above the limit is measured again, to see whose memory grows, and the time in between (milliseconds). */
const ROUNDS = 4;
const ROUND_MS = 250;

/** How long the main thread has to answer: it gives no answer while it runs native code (milliseconds). */
const ANSWER_TIMEOUT_MS = 3_000;

/** The same while the kernel is about to kill the process. */
const LAST_ANSWER_TIMEOUT_MS = 1_000;

/** How often resident memory is looked at meanwhile (milliseconds). */
const POLL_MS = 10;

/** A measurement is repeated after so many times its duration, so that it takes 5 % of the time, and after so long at most. */
const REST_FACTOR = 20;
const MAX_REST_MS = 10_000;

const BYTES_PER_MB = 2 ** 20;

/** Memory above a limit. */
export interface Excess {
  /** `live`: objects and buffers; `resident`: all memory of the process. */
  readonly kind: 'live' | 'resident';
  /** How much there is. */
  readonly mb: number;
  /** The revision that evidently took the memory; null when there is no evidence against a single one. */
  readonly culprit: { readonly script: string; readonly position: string | null } | null;
  /** The revisions that hold most of what was allocated since the sampling started. */
  readonly holders: readonly Holder[];
}

interface MemoryWatchDeps {
  /** See {@link MemoryLimits}. */
  readonly limits: { readonly liveMb: number; readonly residentMb: number };
  readonly activity: Pick<ActivityBuffer, 'runs' | 'script' | 'isReady'>;
  readonly inspector: Pick<MemoryInspector, 'liveMemoryAbove' | 'startSampling' | 'stopSampling' | 'holders'>;
  /** The resident memory of the process (MB). */
  readonly residentMb: () => number;
  /** A clock that never goes back (milliseconds). */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Called with the memory (MB) when the kernel can end the process soon, or a limit is exceeded; with null when it is over. */
  readonly onAlarm: (mb: number | null) => void;
}

/** An alarm ends below this share of the memory at which it begins. */
const ALARM_END_SHARE = 0.9;

/** Code that runs without interruption, and the resident memory when it was first seen (MB): live memory was not more. */
interface Run {
  readonly id: number;
  readonly script: string;
  readonly mb: number;
}

/**
 * Finds out whether a node has too much memory, and who took it. Resident memory only says when to measure: it contains
 * garbage and freed pages. A revision is blamed when memory grows while nothing else runs, or when it holds most of what
 * modules have allocated in a short time. A start of a node, which loads all modules, is no evidence against one of them.
 */
export class MemoryWatch {
  readonly #deps: MemoryWatchDeps;
  /** When the sampling started, and whether the node was ready; null while nothing is sampled. */
  #sampling: { readonly since: number; readonly isReady: boolean } | null = null;
  /** The moment of the next measurement, unless resident memory passes `mb` before. */
  #next = { at: 0, mb: 0 };
  #isAlarmed = false;
  #run: Run | null = null;

  constructor(deps: MemoryWatchDeps) {
    this.#deps = deps;
  }

  /** Looks at resident memory. Returns whether it is so much that {@link measure} is to be called. */
  look(): boolean {
    const { limits, residentMb, now } = this.#deps;
    const resident = residentMb();
    this.#follow(resident);
    this.#sample(resident > SAMPLING_SHARE * limits.liveMb);
    const alarmMb = (limits.liveMb + limits.residentMb) / 2;
    if (resident > alarmMb) this.#alarm(resident);
    else if (resident < ALARM_END_SHARE * alarmMb) this.#alarm(null);
    return resident > limits.liveMb && (now() >= this.#next.at || resident > this.#next.mb);
  }

  /** Returns what is above a limit; null when nothing is. */
  async measure(): Promise<Excess | null> {
    const { limits, residentMb, now } = this.#deps;
    const startedAt = now();
    const excess = await this.#find();
    const restMs = Math.min(MAX_REST_MS, REST_FACTOR * (now() - startedAt));
    this.#next = { at: now() + restMs, mb: (residentMb() + limits.residentMb) / 2 };
    return excess;
  }

  async #find(): Promise<Excess | null> {
    const { limits, inspector, residentMb } = this.#deps;
    const liveMb = await this.#answer(inspector.liveMemoryAbove(limits.liveMb));
    if (typeof liveMb === 'number') return this.#judgeLive(liveMb);
    // Garbage can be the reason.
    if (liveMb === null && residentMb() > limits.residentMb) await this.#answer(inspector.liveMemoryAbove(0));
    return this.#judgeResident();
  }

  /** Looks for evidence, a few times. Ends when memory is below its limit again. */
  async #judgeLive(liveMb: number): Promise<Excess | null> {
    const { limits, inspector, sleep } = this.#deps;
    this.#alarm(liveMb);
    let mb = liveMb;
    let before: readonly Holder[] | null = this.#isSampledFresh() ? [] : null;
    for (let round = 0; ; round += 1) {
      // First: a fast loop leaves little time.
      const byRun = this.#culpritOf(this.#run, mb);
      if (byRun !== null) return { kind: 'live', mb, culprit: byRun, holders: [] };
      const holders = (await this.#answer(inspector.holders())) ?? [];
      before ??= holders;
      const culprit = mainHolder(grownSince(holders, before), this.#blameMb * BYTES_PER_MB);
      if (culprit !== null || round === ROUNDS) return { kind: 'live', mb, culprit, holders };
      await sleep(ROUND_MS);
      const next = await this.#answer(inspector.liveMemoryAbove(limits.liveMb));
      if (typeof next !== 'number') return this.#judgeResident();
      mb = next;
    }
  }

  async #judgeResident(): Promise<Excess | null> {
    const { limits, inspector, residentMb } = this.#deps;
    const mb = residentMb();
    if (mb <= limits.residentMb) return null;
    const culprit = this.#culpritOf(this.#run, mb);
    const holders = culprit === null ? await this.#answer(inspector.holders()) : [];
    return { kind: 'resident', mb, culprit, holders: holders ?? [] };
  }

  /** Whether what was sampled is evidence: a ready node's memory grew from half of the limit in a short time. */
  #isSampledFresh(): boolean {
    if (this.#sampling === null) return false;
    return this.#sampling.isReady && this.#deps.now() - this.#sampling.since <= FAST_GROWTH_MS;
  }

  #alarm(mb: number | null): void {
    const isAlarmed = mb !== null;
    if (isAlarmed !== this.#isAlarmed) this.#deps.onAlarm(mb);
    this.#isAlarmed = isAlarmed;
  }

  #sample(isWanted: boolean): void {
    const { inspector, limits, activity, now } = this.#deps;
    if (isWanted === (this.#sampling !== null)) return;
    this.#sampling = isWanted ? { since: now(), isReady: activity.isReady } : null;
    const interval = Math.round((limits.liveMb * BYTES_PER_MB) / SAMPLES_PER_LIMIT);
    const posted = isWanted ? inspector.startSampling(interval) : inspector.stopSampling();
    // The main thread can be in native code: nobody waits for its answer. Without samples there is less evidence.
    posted.catch(() => undefined);
  }

  /** Remembers since which memory the module's code runs that runs now. While a node starts, only from this moment on. */
  #follow(mb: number): void {
    const { runs: id, script, isReady } = this.#deps.activity;
    const isSame = this.#run?.id === id && this.#run.script === script;
    if (script === null) this.#run = null;
    else if (!isSame || !isReady) this.#run = { id, script, mb };
  }

  /** The code that has run since then without interruption, if memory has grown meanwhile. */
  #culpritOf(run: Run | null, mb: number): Excess['culprit'] {
    const { runs, script } = this.#deps.activity;
    const isSame = run !== null && run.id === runs && run.script === script;
    return isSame && mb - run.mb >= this.#blameMb ? { script: run.script, position: null } : null;
  }

  get #blameMb(): number {
    return BLAME_SHARE * this.#deps.limits.liveMb;
  }

  /** Awaits an answer of the main thread; undefined when it gives none in time. */
  async #answer<T>(promise: Promise<T>): Promise<T | undefined> {
    const { limits, residentMb, now, sleep } = this.#deps;
    const answers: (T | undefined)[] = [];
    promise.then(
      value => answers.push(value),
      () => answers.push(undefined),
    );
    let deadline = now() + ANSWER_TIMEOUT_MS;
    while (answers.length === 0 && now() < deadline) {
      if (residentMb() > limits.residentMb) deadline = Math.min(deadline, now() + LAST_ANSWER_TIMEOUT_MS);
      await sleep(POLL_MS);
    }
    return answers[0];
  }
}
