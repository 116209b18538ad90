import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

import type { Command } from '../../controller/src/api/command.ts';
import type { PushResult } from '../../controller/src/api/results.ts';
import { purge } from '../../controller/src/commands/purge.ts';
import { promote } from '../../controller/src/commands/promote.ts';
import { remove } from '../../controller/src/commands/remove.ts';
import { repair } from '../../controller/src/commands/repair.ts';
import { rollback } from '../../controller/src/commands/rollback.ts';
import type { CommandContext } from '../../controller/src/commands/context.ts';
import { push } from '../../controller/src/commands/push.ts';
import { NOBODY } from '../../controller/src/fleet/departures.ts';
import { rollBackAndAwait } from '../../controller/src/rollout/automatic-rollback.ts';
import { awaitCommit } from '../../controller/src/rollout/commit.ts';
import type { Audience } from '../../controller/src/rollout/context.ts';
import { startBundleGc } from '../../controller/src/rollout/gc/bundle-gc.ts';
import { startHistoryGc } from '../../controller/src/rollout/gc/history-gc.ts';
import { createReconciler, type Reconciler } from '../../controller/src/rollout/reconciler.ts';
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
  | {
      readonly type: 'push';
      readonly sources: readonly Source[];
      readonly canary: string | null;
      readonly force?: boolean;
    }
  | { readonly type: 'promote' | 'rollback' | 'remove' | 'repair'; readonly modules: readonly string[] }
  /** `remove --state`. */
  | { readonly type: 'clear'; readonly modules: readonly string[] }
  /** A canary failed. `modules` are those that were pushed together with it, and are to go back together. */
  | { readonly type: 'end canary'; readonly head: Head; readonly modules: readonly string[] };

/** `unusable`: a UsageError said why. `abandoned`: it was given up because the client has gone. */
export type OrderOutcome = PushResult['outcome'] | 'unusable' | 'abandoned';

/** Why an order is given up. */
const GONE = new Error('the client has gone');

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
const TIMEOUT_MS = 100;

/** The modules that an order is about. */
export function modulesOf(order: Order): string[] {
  return order.type === 'push' ? order.sources.map(({ bundle }) => bundle.module) : [...order.modules];
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
  /** After so many steps the client has gone that gave the order. */
  clientSteps = Infinity;
  readonly #client = new AbortController();
  readonly #onFault: (fault: unknown) => void;
  readonly #context: CommandContext;
  readonly #audience: () => Audience;
  readonly #reconciler: Reconciler;
  readonly #startCollections: () => void;
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
    const membership = {
      expected: async () => ({
        members: members(),
        awaited: new Set(nodeNames()),
        departed: NOBODY,
        ended: NOBODY,
        warning: null,
      }),
      noteSilent: () => undefined,
      isDebugged: () => false,
      foreign: () => [],
      present: () => [],
    };
    const monitor = { observe: () => undefined, watch: async () => ({ status: 'passed' as const, detail: '' }) };
    this.#audience = () => ({ expected: new Set(nodeNames()), timeoutMs: TIMEOUT_MS });
    const sources = { changedAmong: () => [] };
    const build = () => Promise.reject(new Error('no sources'));
    const audit: CommandContext['audit'] = {
      write: async () => undefined,
      read: async () => [],
      bounds: async () => ({ first: 1, last: 0 }),
      after: async position => ({ events: [], position, missing: 0 }),
      onWrite: () => ({ [Symbol.dispose]: () => undefined }),
    };
    const rollout = { nats, subjects, store, audit, packagesTimeoutMs: TIMEOUT_MS };
    const watch = () => Promise.reject(new Error('no sources'));
    const folder = {
      groups: async () => new Map(),
      availableModules: () => [],
      unreadableModules: () => new Map(),
      watch,
      warm: () => undefined,
    };
    const packNamed = async () => null;
    const signingKey = { madeAt: () => 0 };
    const buildRemotely = () => build;
    const afar = {
      cookie: 'dino',
      operatorSessions: new Map(),
      natsAuthority: () => null,
      buildRemotely,
      webhook: null,
      openPorts: async () => [],
    };
    this.#context = { ...rollout, ...afar, membership, monitor, signingKey, build, packNamed, sources, ...folder };
    const finish = (heads: readonly Head[]) => awaitCommit(this.#context, heads, this.#audience());
    const log = { ...recordingLog(), warn: (fields: object) => 'err' in fields && onFault(fields.err) };
    this.#startCollections = () => {
      startBundleGc(store, log);
      startHistoryGc(store, log);
    };
    this.#reconciler = createReconciler({
      ...rollout,
      monitor,
      heartbeatInterval: () => HEARTBEAT_INTERVAL,
      finish,
      writeLateResults: async () => undefined,
      actOnFindings: async () => undefined,
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
    void this.#reconciler.start();
    this.#startCollections();
  }

  async carryOut(order: Order): Promise<void> {
    this.order = order;
    try {
      this.outcome = await this.#run(order);
    } catch (error) {
      if (error instanceof UsageError) this.outcome = 'unusable';
      else if (error === GONE) this.outcome = 'abandoned';
      else this.#onFault(error);
    }
  }

  /** Carries out `purge` or, without force, `soft-purge`. Returns what each node answers. */
  async purge(module: string, force: boolean) {
    const command = { cookie: null, author: 'wilma', timeoutMs: TIMEOUT_MS, type: 'purge' as const, module, force };
    const { nodes } = await purge(
      this.#context,
      command,
      () => undefined,
      this.#client.signal,
      () => undefined,
    );
    return nodes;
  }

  async #run(order: Order): Promise<PushResult['outcome']> {
    const client = [(): void => undefined, this.#client.signal, (): void => undefined] as const;
    const common = {
      cookie: null,
      author: 'wilma',
      change: randomUUID(),
      timeoutMs: TIMEOUT_MS,
      modules: modulesOf(order),
    };
    switch (order.type) {
      case 'push': {
        const build = async (): Promise<readonly Source[]> => order.sources;
        const canary = order.canary === null ? null : { scope: order.canary, maxErrors: 0, minCalls: 0, watch: 0 };
        const { force = false } = order;
        const command = { ...common, type: order.type, force, check: true, dryRun: false, without: [], canary };
        return (await push({ ...this.#context, build }, command satisfies Command, ...client)).outcome;
      }
      case 'promote':
        return (await promote(this.#context, { ...common, type: order.type }, ...client)).outcome;
      case 'repair':
        return (await repair(this.#context, { ...common, type: order.type }, ...client)).outcome;
      case 'rollback':
        return (await rollback(this.#context, { ...common, type: order.type, to: null }, ...client)).outcome;
      case 'remove':
      case 'clear': {
        const state = order.type === 'clear';
        return (await remove(this.#context, { ...common, type: 'remove', state }, ...client)).outcome;
      }
      case 'end canary': {
        const failed = { cause: 'canary' as const, heads: [order.head], note: 'a call failed' };
        await rollBackAndAwait(this.#context, failed, async () => this.#audience());
        return 'rolled-back';
      }
      default: {
        const check: never = order;
        return check;
      }
    }
  }

  async #step(): Promise<void> {
    this.clientSteps -= 1;
    if (this.clientSteps < 0) this.#client.abort(GONE);
    this.#steps -= 1;
    if (this.#steps >= 0 || this.#goOn.signal.aborted) return;
    this.#isStopped = true;
    await once(this.#goOn.signal, 'abort');
  }
}
