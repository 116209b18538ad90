import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import pino from 'pino';

import type { BuiltBundle } from '../../controller/src/build/build.ts';
import { pack } from '../../controller/src/build/bundle-size.ts';
import { push } from '../../controller/src/commands/push.ts';
import { heartbeatInterval } from '../../controller/src/fleet/heartbeat-interval.ts';
import { createMembership } from '../../controller/src/fleet/membership.ts';
import { CanaryMonitor } from '../../controller/src/rollout/canary-monitor.ts';
import { createReconciler } from '../../controller/src/rollout/reconciler.ts';
import { makeKeys } from '../../controller/src/services/keygen/make-keys.ts';
import { openKeyring } from '../../controller/src/store/keyring.ts';
import { openStore } from '../../controller/src/store/stream-store.ts';
import { packMap } from '../../protocol/bundle.ts';
import { inboxPrefix } from '../../protocol/inboxes.ts';
import { loadedOn, type PushSample } from '../rounds.ts';
import { compiledSubject } from '../subject.ts';
import { connectAs, COOKIE, subjects } from './cluster.ts';

/** The timeout for the answers of all nodes (milliseconds). */
const TIMEOUT_MS = 60_000;

const KEYS = '/tmp/keys';

const nothing = (): void => undefined;

/** The public keys that nodes trust. */
export const TRUST_DIR = join(KEYS, 'trust', COOKIE);

/** Makes the keys of the simulated cluster, as keygen does. */
export function writeKeys(): void {
  for (const { holder, path, text } of makeKeys(COOKIE).files) {
    const file = join(KEYS, holder === 'root' ? 'controller' : holder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** Starts the code of the controller, without compiler and command line. */
export async function simulateController() {
  const log = pino({ level: 'warn', base: null }, pino.destination(2));
  const nats = await connectAs('controller', inboxPrefix('controller'));
  const keyring = openKeyring(join(KEYS, 'controller', COOKIE), TRUST_DIR, subjects.keys);
  const store = await openStore(nats, { cookie: COOKIE, subjects, keyring, maxBytes: 2 ** 30 });
  const membership = createMembership(nats, subjects, log);
  const monitor = new CanaryMonitor({
    membership,
    rollBack: async () => undefined,
    heads: async () => [],
    describe: async () => [],
    log,
  });
  let next: readonly BuiltBundle[] = [];
  const sources = { changedAmong: () => [] };
  const context = {
    nats,
    subjects,
    store,
    membership,
    monitor,
    webhook: null,
    openPorts: async () => [],
    signingKey: keyring,
    sources,
    audit: {
      read: async () => [],
      write: async () => undefined,
      bounds: async () => ({ first: 1, last: 0 }),
      after: async (position: number) => ({ events: [], position, missing: 0 }),
      onWrite: () => ({ [Symbol.dispose]: () => undefined }),
    },
    packagesTimeoutMs: TIMEOUT_MS,
    build: async () => next,
    groups: async () => new Map(),
    availableModules: () => [],
    unreadableModules: () => new Map(),
    warm: () => undefined,
    packNamed: async () => null,
    watch: () => Promise.reject(new TypeError('nothing is watched here')),
    cookie: COOKIE,
    operatorSessions: new Map(),
    natsAuthority: () => null,
    buildRemotely: () => async () => next,
  };
  const reconciler = createReconciler({
    ...context,
    heartbeatInterval: () => heartbeatInterval(membership.present().length, monitor.isCanaryOpen),
    finish: async () => undefined,
    writeLateResults: async () => undefined,
    actOnFindings: async () => undefined,
    log,
  });
  void reconciler.start();
  let version = 0;
  return {
    nats,
    /** Makes a new version, which the next push sends. */
    compile(bytes: number): void {
      next = [build(bytes, (version += 1))];
    },
    /** Pushes what was compiled to so many nodes. @throws Error when a node did not load it. */
    async push(nodes: number): Promise<PushSample> {
      const what = { type: 'push', cookie: null, author: 'bench', change: randomUUID(), modules: ['subject'] } as const;
      const how = { timeoutMs: TIMEOUT_MS, dryRun: false, force: false, check: false, canary: null };
      const startedAt = performance.now();
      const result = await push(context, { ...what, ...how }, nothing, new AbortController().signal, nothing);
      const ms = performance.now() - startedAt;
      const { compile: ask, prepare, commit, skew } = loadedOn(nodes, result).times;
      return { ms, skew, phases: { ask, prepare, commit, rest: ms - ask - prepare - commit } };
    },
    /** The bytes of such a push, signed. */
    signed(bytes: number): Uint8Array {
      const { bundle, packed } = build(bytes, (version += 1));
      return keyring.sign(subjects.bundle(bundle.module, bundle.revision), packed);
    },
  };
}

/** A version that no node has seen. Code and source map compress like real ones, about 3 : 1. */
function build(bytes: number, version: number): BuiltBundle {
  const bundle = {
    ...compiledSubject(bytes).bundle(version),
    map: packMap(randomBytes(0.22 * bytes).toString('base64')),
  };
  return { bundle, packed: pack(bundle, Infinity), packages: null, groups: null, sources: {} };
}
