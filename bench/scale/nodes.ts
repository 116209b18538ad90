import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pino from 'pino';

import { Verifier } from '../../node-image/src/admission/verifier.ts';
import { type ClusterNodeDeps, startClusterNode } from '../../node-image/src/cluster/cluster-node.ts';
import { NOTHING_LEFT_OUT } from '../../node-image/src/cluster/left-out.ts';
import { claimName } from '../../node-image/src/cluster/name-claim.ts';
import { CodeServer } from '../../node-image/src/modules/code-server.ts';
import { ExternalPackages } from '../../node-image/src/packages/external-packages.ts';
import { PackageFolder } from '../../node-image/src/packages/package-folder.ts';
import { Packages } from '../../node-image/src/packages/packages.ts';
import { ScopedResources } from '../../node-image/src/sandbox/scoped-resources.ts';
import { ActivityBuffer } from '../../node-image/src/watchdog/activity-buffer.ts';
import { Bans } from '../../node-image/src/watchdog/bans.ts';
import type { Bundle } from '../../protocol/bundle.ts';
import type { Head } from '../../protocol/head.ts';
import { nodeInbox } from '../../protocol/inboxes.ts';
import { replicaName } from '../../protocol/names.ts';
import { openTrust } from '../../shared/signing/trust.ts';
import { BARE, connectAs, containerOf, COOKIE, subjects } from './cluster.ts';

/** The event loop of the process is shared by its nodes, so no node reports its delay. */
const NO_DELAY = { max: 0, reset: (): void => undefined };

/** Nodes that connect at the same time, in each process. */
const AT_ONCE = 100;

const log = pino({ level: 'warn', base: null }, pino.destination(2));

type Shared = Pick<ClusterNodeDeps, 'bans' | 'verifier' | 'codeServer' | 'packages'>;

/**
 * Many nodes in one process, which starts those whose numbers its parent sends: each has its own connection and all that
 * a node has but its process (watchdog, HTTP server, health file). They share the verification, unpacking, compilation
 * and evaluation of a bundle; every connection gets and answers every message.
 */
export function simulateNodes(trustDir: string): void {
  const trust = openTrust(trustDir, subjects);
  const bans = new Bans();
  const tell = (error: unknown): void => log.error({ err: error }, 'a simulated node rejected a message');
  // The modules of the bench use none.
  const folder = new PackageFolder(join(tmpdir(), `hotcast-bench-${process.pid}`));
  const external = new ExternalPackages('/external');
  const packages = new Packages({ folder, external, resources: new ScopedResources(), log, onError: tell });
  const codeServer = new CodeServer(log, { bans, activity: new ActivityBuffer(), logMaxCharsPerSecond: 100_000 });
  const shared = { bans, packages, verifier: new SharedVerifier(trust, subjects, tell), codeServer };
  process.on('message', numbers => void startNodes(numbers as number[], shared));
}

async function startNodes(numbers: number[], shared: Shared): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) await startNode(number, shared);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  process.send?.('started');
}

async function startNode(number: number, shared: Shared): Promise<void> {
  const container = containerOf(number).id;
  const wanted = replicaName(number);
  const nats = await connectAs('node', nodeInbox(wanted));
  const name = await claimName(nats, subjects, wanted, container);
  const identity = { name, container };
  const node = await startClusterNode({
    nats,
    cookie: COOKIE,
    identity,
    ...shared,
    purgeTimeoutMs: 3_000,
    leftOut: NOTHING_LEFT_OUT,
    loopDelay: NO_DELAY,
    log,
  });
  node.announce();
  nats.subscribe(BARE, { callback: (_, { reply = '' }) => nats.publish(`${reply}.${name}`, name) });
  await nats.flush();
}

/** A verifier for many nodes of one process: it remembers the last message of a kind, and verifies it once. */
class SharedVerifier extends Verifier {
  readonly #bundle = remember<Bundle>();
  readonly #head = remember<Head>();

  override bundle(subject: string, bytes: Uint8Array, push: string | null = null): Bundle {
    return this.#bundle(bytes, () => super.bundle(subject, bytes, push));
  }

  override head(subject: string | null, bytes: Uint8Array): Head {
    return this.#head(bytes, () => super.head(subject, bytes));
  }
}

function remember<T>(): (bytes: Uint8Array, make: () => T) => T {
  let last: { readonly bytes: Uint8Array; readonly value: T } | null = null;
  return (bytes, make) => {
    if (last === null || Buffer.compare(bytes, last.bytes) !== 0) last = { bytes: bytes.slice(), value: make() };
    return last.value;
  };
}
