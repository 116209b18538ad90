import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../../protocol/codec.ts';
import { type Head, revisionsOf } from '../../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { DigestRequest } from '../../../protocol/messages.ts';
import type { HeadResult } from '../../../protocol/head-result.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import type { CanaryMonitor } from './canary-monitor.ts';
import type { StreamStore } from '../store/stream-store.ts';
import type { Logger } from '../../../shared/logger.ts';

/** A head without an outcome is another controller's work in progress for this long (milliseconds). */
const UNFINISHED_AFTER = 15_000;

/** A bundle that no head names yet may belong to a push in progress; its head comes within this (milliseconds). */
const SWEEP_EVERY = 60_000;

interface KeeperParts {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly store: StreamStore;
  readonly watch: CanaryMonitor;
  /** How often each node is to tell that it is there (milliseconds). */
  readonly heartbeatInterval: () => number;
  /** Has every node obey heads that some controller left unfinished. */
  readonly finish: (heads: readonly Head[]) => Promise<unknown>;
  /** Sends modules back whose newest head has brought a node down. */
  readonly goBack: (heads: readonly Head[], headResults: readonly HeadResult[]) => Promise<void>;
  readonly log: Logger;
}

/**
 * Keeps the fleet on its heads: tells every node, every 2 seconds, the newest sequence of each module, so that whoever
 * missed one reads the stream; finishes what a controller that died left undone; goes back from what brings nodes down; removes bundles that no kept head names.
 */
export class Reconciler {
  readonly #parts: KeeperParts;
  #failing = false;
  #working = false;
  #idleBundles = new Set<string>();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** Finishes at once what was left undone, then keeps going for as long as the process lives. */
  async start(): Promise<void> {
    await this.turn(0);
    setInterval(() => void this.turn(), HEARTBEAT_INTERVAL);
    setInterval(() => void this.#sweep(), SWEEP_EVERY);
  }

  /** Does now what is to be done every 2 seconds. */
  async turn(timeoutMs = UNFINISHED_AFTER): Promise<void> {
    const { store, nats, subjects, watch, heartbeatInterval, finish, goBack, log } = this.#parts;
    if (this.#working) return;
    this.#working = true;
    try {
      const restored = await store.restoreHeads();
      if (restored.length > 0)
        log.warn({ modules: restored }, 'the newest heads were written over, and are written again');
      const heads = await store.heads();
      watch.observe(heads);
      const digest: DigestRequest = {
        heads: Object.fromEntries(heads.map(({ module, sequence }) => [module, sequence])),
        heartbeatInterval: heartbeatInterval(),
      };
      nats.publish(subjects.all('digest'), encode(digest));
      const headResults = await store.headResults();
      const unfinished = unfinishedHeads(heads, headResults, Date.now() - timeoutMs);
      for (const push of new Set(unfinished.map(head => head.push))) {
        log.warn({ push }, 'a push was left unfinished; finishing it');
        await finish(heads.filter(head => head.push === push));
      }
      await goBack(heads, headResults);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn({ err: error }, 'the heads could not be read; trying again');
      this.#failing = true;
      // NATS may have lost its disk, and the stream with it.
      await store.ensureStream().catch(() => undefined);
    } finally {
      this.#working = false;
    }
  }

  /** Removes what no kept head named at two sweeps in a row. */
  async #sweep(): Promise<void> {
    const { store, log } = this.#parts;
    try {
      const idle = new Set<string>();
      const named = new Map<string, Set<string>>();
      for (const { module, revision } of await store.bundles()) {
        if (!named.has(module)) named.set(module, await this.#named(module));
        if (named.get(module)?.has(revision)) continue;
        const key = `${module}@${revision}`;
        if (this.#idleBundles.has(key)) await this.#remove(module, revision);
        else idle.add(key);
      }
      this.#idleBundles = idle;
    } catch (error) {
      log.warn({ err: error }, 'old bundles could not be removed; trying again');
    }
  }

  /** Removes a bundle, and puts it back when a head has named it meanwhile: its push found it there. */
  async #remove(module: string, revision: string): Promise<void> {
    const { store } = this.#parts;
    const packed = await store.bundle(module, revision);
    await store.removeBundle(module, revision);
    const isNamed = (await this.#named(module)).has(revision);
    if (isNamed && packed !== null) await store.putBundle({ module, revision }, packed, null, false);
  }

  async #named(module: string): Promise<Set<string>> {
    return new Set((await this.#parts.store.history(module)).flatMap(revisionsOf));
  }
}

/** The newest heads, written before a moment, of which nobody wrote down what came. */
export function unfinishedHeads(heads: readonly Head[], headResults: readonly HeadResult[], before: number): Head[] {
  const finished = new Map(headResults.map(({ module, sequence }) => [module, sequence]));
  return heads.filter(({ module, sequence, at }) => at <= before && finished.get(module) !== sequence);
}
