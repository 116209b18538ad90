import { once } from 'node:events';

import type { CanaryMonitor } from '../../controller/src/rollout/canary-monitor.ts';
import type { Membership } from '../../controller/src/fleet/membership.ts';
import { Reconciler } from '../../controller/src/rollout/reconciler.ts';
import { push, type PushParts } from '../../controller/src/commands/push.ts';
import type { PushOutcome } from '../../controller/src/api/results.ts';
import { endCanary, type HeadRequest, promote, remove, rollback } from '../../controller/src/commands/rollback.ts';
import { awaitCommit } from '../../controller/src/rollout/commit.ts';
import { UsageError } from '../../protocol/errors.ts';
import type { Head } from '../../protocol/head.ts';
import { HEARTBEAT_INTERVAL } from '../../protocol/limits.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import { recordingLog } from '../unit/fixtures.ts';
import type { Connection, Network } from './network.ts';
import type { Source } from './source.ts';
import { storeOf, type Stream } from './stream.ts';

/** What somebody wants of a controller. */
export type Order =
  | { readonly type: 'push'; readonly sources: readonly Source[]; readonly canary: string | null }
  | { readonly type: 'promote' | 'rollback' | 'remove'; readonly modules: readonly string[] }
  | { readonly type: 'end canary'; readonly head: Head };

/** `unusable`: a UsageError said why. */
export type OrderOutcome = PushOutcome | 'unusable';

interface Environment {
  readonly network: Network;
  readonly stream: Stream;
  readonly subjects: Subjects;
  readonly nodeNames: () => readonly string[];
  /** Told at the moment that heads are written. */
  readonly onWrite: (writer: ControllerProcess, heads: readonly Head[]) => void;
  /** Told of what should never be thrown. */
  readonly onFault: (fault: unknown) => void;
}

/** How long a controller waits for nodes: longer than a slow link takes (milliseconds). */
const PATIENCE = 100;

/** The modules that an order is about. */
export function modulesOf(order: Order): string[] {
  if (order.type === 'push') return order.sources.map(({ bundle }) => bundle.module);
  return order.type === 'end canary' ? [order.head.module] : [...order.modules];
}

/** A controller's process: the real one, but for its command line, compiler, roster and canary's watch. */
export class ControllerProcess {
  readonly connection: Connection;
  /** What it was told to do, until it has written the heads for it. */
  order: Order | null = null;
  /** The sequence of each module's head when it was first read, 0 for none. */
  readonly decidedUpon = new Map<string, number>();
  /** What came of its order; null before. */
  outcome: OrderOutcome | null = null;
  readonly #onFault: (fault: unknown) => void;
  readonly #parts: PushParts;
  readonly #keeper: Reconciler;
  /** How many steps it takes before it stops: in the midst of something, between two deeds to the stream. */
  #steps: number;
  #isStopped = false;
  readonly #goOn = new AbortController();

  constructor({ network, stream, subjects, nodeNames, onWrite, onFault }: Environment, steps: number) {
    this.#onFault = onFault;
    this.#steps = steps;
    this.connection = network.connect(null);
    const { nats } = this.connection;
    const store = storeOf(stream, this.connection, subjects, {
      deed: async deed => {
        await this.#step();
        const result = deed();
        await this.#step();
        return result;
      },
      onRead: (module, head) => {
        if (!this.decidedUpon.has(module)) this.decidedUpon.set(module, head?.sequence ?? 0);
      },
      onWrite: heads => {
        onWrite(this, heads);
        this.order = null;
      },
    });
    const members = () => nodeNames().map(node => ({ node, container: node }));
    const fleet = { expected: async () => ({ members: members(), warning: null }) } as unknown as Membership;
    const watch = {
      observe: () => undefined,
      follow: async () => ({ healthy: true, detail: '' }),
    } as unknown as CanaryMonitor;
    this.#parts = { nats, subjects, store, fleet, watch, candidates: () => Promise.reject(new Error('no sources')) };
    const finish = (heads: readonly Head[]) =>
      awaitCommit(this.#parts, heads, { expected: new Set(nodeNames()), timeoutMs: PATIENCE });
    const log = { ...recordingLog(), warn: (fields: object) => 'err' in fields && onFault(fields.err) };
    this.#keeper = new Reconciler({
      nats,
      subjects,
      store,
      watch,
      heartbeatInterval: () => HEARTBEAT_INTERVAL,
      finish,
      goBack: async () => undefined,
      log,
    });
  }

  /** Whether it has stopped in the midst of something. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  goOn(): void {
    this.#steps = Infinity;
    this.#isStopped = false;
    this.#goOn.abort();
  }

  /** Becomes the long-lived process that keeps the fleet on its heads. */
  start(): void {
    void this.#keeper.start();
  }

  async carryOut(order: Order): Promise<void> {
    this.order = order;
    try {
      this.outcome = await this.#obey(order);
    } catch (error) {
      if (error instanceof UsageError) this.outcome = 'unusable';
      else this.#onFault(error);
    }
  }

  async #obey(order: Order): Promise<PushOutcome> {
    const say = (): void => undefined;
    const request = (modules: readonly string[]): HeadRequest => ({ modules, author: 'wilma', timeoutMs: PATIENCE });
    switch (order.type) {
      case 'push': {
        const { sources } = order;
        const candidates = async (): Promise<readonly Source[]> => sources;
        const modules = sources.map(({ bundle }) => bundle.module);
        const canary = order.canary === null ? null : { scope: order.canary, maxErrors: 0, watch: 0 };
        return (
          await push({ ...this.#parts, candidates }, { ...request(modules), force: false, check: true, canary }, say)
        ).outcome;
      }
      case 'promote':
        return (await promote(this.#parts, request(order.modules), say)).outcome;
      case 'rollback':
        return (await rollback(this.#parts, request(order.modules), null, say)).outcome;
      case 'remove':
        return (await remove(this.#parts, request(order.modules), say)).outcome;
      case 'end canary':
        await endCanary(this.#parts, order.head, 'a call failed', PATIENCE);
        return 'rolled-back';
      default: {
        const check: never = order;
        return check;
      }
    }
  }

  async #step(): Promise<void> {
    this.#steps -= 1;
    if (this.#steps >= 0 || this.#goOn.signal.aborted) return;
    this.#isStopped = true;
    await once(this.#goOn.signal, 'abort');
  }
}
