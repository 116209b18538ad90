import type { Head } from '../../../protocol/head.ts';
import type { RefusalReason } from '../../../protocol/messages.ts';
import { loadOrder } from '../../../shared/load-order.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { LoadResult, Refused } from '../modules/load-result.ts';

/** The delay before the first retry (milliseconds). Each further one is twice as long. */
const FIRST_DELAY_MS = 2_000;

const MAX_DELAY_MS = 60_000;

/** The share of a delay that is random, so that the nodes of a fleet do not all evaluate a module at the same time. */
const JITTER_SHARE = 1 / 4;

/** These do not heal: a person has to push something. */
const FINAL: ReadonlySet<RefusalReason> = new Set(['badfile', 'banned', 'outdated']);

interface RetriesDeps {
  /** Tries heads again that are still refused. @throws when the stream can't be read */
  readonly retry: (heads: readonly Head[]) => Promise<LoadResult>;
  /** Whether the node refuses a head, and has seen no newer one of its module. */
  readonly isRefused: (head: Head) => boolean;
  /** The modules that a head's revision imports as `hot:<module>`. */
  readonly importsOf: (head: Head) => readonly string[];
  readonly log: Logger;
}

/** Heads of one push that the node refused together. */
interface Entry {
  readonly heads: readonly Head[];
  /** How often they were tried. */
  attempts: number;
  /** The moment of the next attempt, by `performance.now`. */
  dueAt: number;
  timer: NodeJS.Timeout | undefined;
  isTrying: boolean;
  /** Whether it is to be tried once more after this attempt: what it waits for was loaded meanwhile. */
  isDue: boolean;
  refusal: Refused;
}

/** What a node's description says of a refused head. */
export interface RetryState {
  readonly attempts: number;
  readonly nextAttemptInMs: number;
}

/**
 * Tries refused heads again: at once when a module was loaded that they import, and after 2, 4, 8, … at most 60 seconds. Pushes
 * that import each other in a circle are tried together, and at once when the circle is complete. It ends when they are applied or replaced, or when they are refused for a reason that time does not heal.
 */
export function createRetries({ retry, isRefused, importsOf, log }: RetriesDeps) {
  /** By the id of the push. */
  const entries = new Map<string, Entry>();
  let stopped = false;

  const schedule = (entry: Entry, refusal: Refused): void => {
    entry.refusal = refusal;
    const delayMs = delayAfter(entry.attempts, refusal.reason);
    clearTimeout(entry.timer);
    entry.dueAt = performance.now() + delayMs;
    entry.timer = setTimeout(() => void attempt(entry), delayMs);
  };

  const drop = ({ heads: [first], timer }: Entry): void => {
    clearTimeout(timer);
    entries.delete(first?.push ?? '');
  };

  const attempt = async (entry: Entry): Promise<void> => {
    const heads = entry.heads.filter(isRefused);
    if (heads.length === 0) return drop(entry);
    if (entry.isTrying) entry.isDue = true;
    if (entry.isTrying || stopped) return;
    entry.isTrying = true;
    const fields = { heads: heads.map(({ module, revision, sequence }) => ({ module, revision, sequence })) };
    try {
      const circle = circleOf(entry);
      const together = circle.flatMap(each => each.heads.filter(isRefused));
      const isTogether = circle.length > 1 && (await retry(together)).status === 'ok';
      const result = isTogether ? { status: 'ok' as const } : await retry(heads);
      if (stopped) return;
      entry.attempts += 1;
      const { attempts } = entry;
      if (result.status === 'ok') {
        for (const each of isTogether ? circle : [entry]) drop(each);
        log.info({ ...fields, attempts }, `loaded at try ${attempts}`);
      } else if (FINAL.has(result.reason)) {
        drop(entry);
        log.error({ ...fields, attempts, outcome: result }, 'refused again; not trying any more');
      } else {
        const isWaiting = result.reason === 'not_purged' && entry.refusal.reason === 'not_purged';
        schedule(entry, result);
        if (!isWaiting)
          log.warn({ ...fields, ...stateOf(entry), outcome: result }, 'refused again; trying again later');
      }
    } catch (error) {
      if (stopped) return;
      schedule(entry, entry.refusal);
      log.warn({ ...fields, err: error }, 'the stream could not be read for a retry');
    } finally {
      entry.isTrying = false;
    }
    if (!entry.isDue) return;
    entry.isDue = false;
    await attempt(entry);
  };

  const describe = ({ heads }: Pick<Entry, 'heads'>) => ({
    modules: heads.map(({ module }) => module),
    imports: heads.flatMap(head => importsOf(head)),
  });

  /** The entries that import each other in a circle with this one, and itself. A head that was replaced imports nothing any more. */
  const circleOf = (entry: Entry): readonly Entry[] =>
    loadOrder([...entries.values()], ({ heads }) => describe({ heads: heads.filter(isRefused) })).find(group =>
      group.includes(entry),
    ) ?? [entry];

  /** Tries again what waits for one of these modules, in the order of imports. */
  const retryAfter = async (modules: readonly string[]): Promise<void> => {
    const changed = new Set(modules);
    for (const entry of loadOrder([...entries.values()], describe).flat()) {
      const unit = describe(entry);
      // With another head of one of its modules, the rest of a set stands for itself.
      if ([...unit.imports, ...unit.modules].some(module => changed.has(module))) await attempt(entry);
    }
  };

  return {
    /**
     * Schedules a retry of heads of one push; returns when it is, or null when they are not tried again. When the heads complete a
     * circle whose bundles are prepared, all of it is tried before this returns.
     */
    add: (heads: readonly Head[], refusal: Refused): RetryState | null => {
      const [first] = heads;
      if (first === undefined || FINAL.has(refusal.reason) || stopped) return null;
      const known = entries.get(first.push);
      if (known !== undefined) return stateOf(known);
      const entry: Entry = { heads, attempts: 1, dueAt: 0, timer: undefined, isTrying: false, isDue: false, refusal };
      entries.set(first.push, entry);
      schedule(entry, refusal);
      if (circleOf(entry).length > 1) void attempt(entry);
      return stateOf(entry);
    },

    /** Tells that modules were loaded or removed. What waits for them is tried again when the caller has returned. */
    onChanged: (modules: readonly string[]): void => {
      if (entries.size > 0) queueMicrotask(() => void retryAfter(modules));
    },

    /** How often the head of a module was tried, and when it is again; null when it is not. */
    of: (module: string, sequence: number): RetryState | null => {
      const isOf = (head: Head): boolean => head.module === module && head.sequence === sequence;
      const entry = [...entries.values()].find(({ heads }) => heads.some(isOf));
      return entry === undefined ? null : stateOf(entry);
    },

    [Symbol.dispose]: (): void => {
      stopped = true;
      for (const entry of entries.values()) drop(entry);
    },
  };
}

function stateOf({ attempts, dueAt }: Entry): RetryState {
  return { attempts, nextAttemptInMs: Math.max(0, Math.round(dueAt - performance.now())) };
}

function delayAfter(attempts: number, reason: RefusalReason): number {
  // Nothing is evaluated while calls run on the old version, so it costs nothing to look.
  const doublings = reason === 'not_purged' ? 0 : attempts - 1;
  const delayMs = Math.min(FIRST_DELAY_MS * 2 ** doublings, MAX_DELAY_MS);
  return delayMs * (1 - Math.random() * JITTER_SHARE);
}
