import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { createInbox, type NatsConnection } from '@nats-io/transport-node';
import pino from 'pino';

import { CanaryMonitor } from '../../controller/src/rollout/canary-monitor.ts';
import type { BuiltBundle } from '../../controller/src/build/build.ts';
import { Membership } from '../../controller/src/fleet/membership.ts';
import { Reconciler } from '../../controller/src/rollout/reconciler.ts';
import { makeKeys } from '../../controller/src/services/keygen/make-keys.ts';
import { type Keyring, openKeyring } from '../../controller/src/store/keyring.ts';
import { heartbeatInterval } from '../../controller/src/fleet/heartbeat-interval.ts';
import { pack } from '../../controller/src/build/bundle-size.ts';
import { push, type PushParts } from '../../controller/src/commands/push.ts';
import { StreamStore } from '../../controller/src/store/stream-store.ts';
import { goBack, stalledHeads } from '../../controller/src/rollout/automatic-rollback.ts';
import { packMap, unpackMap } from '../../protocol/bundle.ts';
import { revisionOf } from '../../protocol/revision.ts';
import { lastToken, subjectsOf } from '../../protocol/subjects.ts';
import { GeneratedModule } from '../runtime/generated.ts';
import { connectAs } from './connect.ts';
import { BARE, COOKIE } from './nats-users.ts';
import type { Grown, Order, Pushed, Returned, Usage } from './orders.ts';
import type { Work } from './simulate.ts';
import { usageOf } from './usage.ts';
import { inboxPrefix } from '../../protocol/inboxes.ts';

/** How long all nodes may take to answer (milliseconds). */
const PATIENCE = 60_000;

const subjects = subjectsOf(COOKIE);

/** What the driver starts as processes of its own. */
export type Role = 'nodes' | 'roster';

/** The controller of a simulated cluster, without compiler and command line, and the processes with its nodes. */
export class Driver {
  readonly #nats: NatsConnection;
  readonly #parts: PushParts;
  readonly #keyring: Keyring;
  readonly #roster: ChildProcess;
  readonly #simulators: readonly ChildProcess[];
  readonly #modules = new Map<number, GeneratedModule>();
  #nodes = 0;
  #version = 0;
  #next: readonly BuiltBundle[] = [];

  private constructor(
    nats: NatsConnection,
    keyring: Keyring,
    store: StreamStore,
    roster: ChildProcess,
    simulators: readonly ChildProcess[],
  ) {
    const log = pino({ level: 'warn', base: null }, pino.destination(2));
    const fleet = new Membership(nats, subjects, log);
    const watch = new CanaryMonitor(fleet, async () => undefined, log);
    this.#nats = nats;
    this.#keyring = keyring;
    this.#roster = roster;
    this.#simulators = simulators;
    this.#parts = { nats, subjects, store, fleet, watch, candidates: async () => this.#next };
    const keeper = new Reconciler({
      nats,
      subjects,
      store,
      watch,
      heartbeatInterval: () => heartbeatInterval(fleet.present().length, watch.isTrialOpen),
      finish: async () => undefined,
      goBack: (heads, outcomes) => goBack(this.#parts, stalledHeads(heads, outcomes, fleet.present()), PATIENCE, log),
      log,
    });
    void keeper.start();
  }

  /**
   * Makes keys, and starts the controller, the roster's stand-in, and so many processes for nodes.
   *
   * @param program what runs as each {@link Role}, with the role, the folder of trusted keys and the kind of work as arguments.
   */
  static async start(program: string, processes: number, work: Work): Promise<Driver> {
    const keys = '/tmp/keys';
    for (const { holder, path, text } of makeKeys(COOKIE).files) {
      const file = join(keys, holder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    const trust = join(keys, 'trust', COOKIE);
    const run = (role: Role): ChildProcess => fork(program, [role, trust, work], { stdio: ['ignore', 2, 2, 'ipc'] });
    const nats = await connectAs('controller', inboxPrefix('controller'));
    const keyring = openKeyring(join(keys, 'controller', COOKIE), trust);
    const store = await StreamStore.open(nats, COOKIE, subjects, keyring, 2 ** 30);
    return new Driver(
      nats,
      keyring,
      store,
      run('roster'),
      Array.from({ length: processes }, () => run('nodes')),
    );
  }

  /** Ends all that was started. */
  async stop(): Promise<void> {
    const children = [this.#roster, ...this.#simulators];
    const gone = children.map(child => once(child, 'exit'));
    for (const child of children) child.disconnect();
    await Promise.all(gone);
  }

  /** Carries out one order. @throws Error when a node did not do its part. */
  async obey(order: Order): Promise<Grown | Pushed | Returned | Usage> {
    switch (order.type) {
      case 'grow':
        return this.#grow(order.nodes);
      case 'push':
        return this.#push(order.bytes);
      case 'bare':
        return this.#bare(order.bytes);
      case 'usage':
        return this.#usage();
      default: {
        const check: never = order;
        return check;
      }
    }
  }

  async #grow(nodes: number): Promise<Grown> {
    const startedAt = performance.now();
    const fresh = Array.from({ length: nodes - this.#nodes }, (_, index) => this.#nodes + index + 1);
    const { length } = this.#simulators;
    const shares = this.#simulators.map((simulator, index) =>
      started(
        simulator,
        fresh.filter(number => number % length === index),
      ),
    );
    await Promise.all(shares);
    await started(this.#roster, nodes);
    this.#nodes = nodes;
    return { ms: performance.now() - startedAt };
  }

  async #push(bytes: number): Promise<Pushed> {
    const parcel = this.#parcel(bytes);
    this.#next = [parcel];
    const request = {
      modules: ['subject'],
      author: 'bench',
      timeoutMs: PATIENCE,
      force: false,
      check: false,
      canary: null,
    };
    const startedAt = performance.now();
    const { outcome, detail, nodes, times } = await push(this.#parts, request, () => undefined);
    const ms = performance.now() - startedAt;
    const loaded = nodes.filter(({ status }) => status === 'loaded').length;
    if (outcome !== 'committed' || loaded !== this.#nodes) {
      throw new Error(`a push was ${outcome} (${detail}), ${loaded} of ${this.#nodes} nodes loaded it`);
    }
    const { compile: ask, prepare, commit, skew } = times;
    return { ms, ask, prepare, commit, skew, sent: this.#sealed(parcel).length };
  }

  async #bare(bytes: number): Promise<Returned> {
    const payload = this.#sealed(this.#parcel(bytes));
    const inbox = createInbox(inboxPrefix('controller'));
    const answered = new Set<string>();
    let timer: NodeJS.Timeout | undefined;
    const all = new Promise<void>((resolve, reject) => {
      const late = (): void => reject(new Error(`${answered.size} of ${this.#nodes} nodes answered a bare message`));
      timer = setTimeout(late, PATIENCE);
      this.#nats.subscribe(`${inbox}.*`, {
        callback: (_error, message) => {
          answered.add(lastToken(message.subject));
          if (answered.size === this.#nodes) resolve();
        },
        max: this.#nodes,
      });
    });
    const startedAt = performance.now();
    this.#nats.publish(BARE, payload, { reply: inbox });
    await all.finally(() => clearTimeout(timer));
    return { ms: performance.now() - startedAt };
  }

  async #usage(): Promise<Usage> {
    const response = await fetch('http://127.0.0.1:8222/varz');
    const varz = (await response.json()) as Record<'in_bytes' | 'out_bytes' | 'in_msgs' | 'out_msgs', number>;
    return {
      // The first process of the container whose processes this one shares.
      nats: usageOf(1),
      controller: usageOf(process.pid),
      nodes: this.#simulators.map(({ pid }) => usageOf(pid ?? 0)),
      wire: {
        inBytes: varz.in_bytes,
        outBytes: varz.out_bytes,
        inMessages: varz.in_msgs,
        outMessages: varz.out_msgs,
      },
    };
  }

  /** A version that no node has seen; code and source map compress as real ones do, about 3 : 1. */
  #parcel(bytes: number): BuiltBundle {
    const module = this.#modules.get(bytes) ?? new GeneratedModule(0.7 * bytes);
    this.#modules.set(bytes, module);
    this.#version += 1;
    const noise = randomBytes(0.22 * bytes).toString('base64');
    const code = `${module.commonJs(this.#version)}var noise = '${noise}';\n`;
    const { map, ...rest } = module.bundle(this.#version);
    const bundle = { ...rest, code, revision: revisionOf(code), map: packMap(unpackMap(map).replace('AAAA', noise)) };
    return { bundle, packed: pack(bundle, Infinity) };
  }

  #sealed({ bundle, packed }: BuiltBundle): Uint8Array {
    return this.#keyring.sign(subjects.bundle(bundle.module, bundle.revision), packed);
  }
}

async function started(child: ChildProcess, what: number | readonly number[]): Promise<void> {
  child.send(what);
  const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
  if (message !== 'started') throw new Error('a process of the simulation has ended');
}
