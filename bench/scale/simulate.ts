import pino from 'pino';

import { Bans } from '../../node-image/src/watchdog/bans.ts';
import { claimName } from '../../node-image/src/cluster/name-claim.ts';
import { ClusterNode, type NodeParts } from '../../node-image/src/cluster/cluster-node.ts';
import { CodeServer } from '../../node-image/src/modules/code-server.ts';
import { Verifier } from '../../node-image/src/admission/verifier.ts';
import { readJsonFiles } from '../../shared/files.ts';
import { ActivityBuffer } from '../../node-image/src/watchdog/activity-buffer.ts';
import { replicaName } from '../../protocol/names.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { TrustedKeyFiles } from '../../protocol/signing/trusted-keys.ts';
import { connectAs } from './connect.ts';
import { BARE, COOKIE } from './nats-users.ts';
import { SharedGate } from './shared-verifier.ts';
import { containerOf } from './stand-in-roster.ts';
import { nodeInbox } from '../../protocol/inboxes.ts';

/** So many connect at once, in each process. */
const AT_ONCE = 100;

const subjects = subjectsOf(COOKIE);
const log = pino({ level: 'warn', base: null }, pino.destination(2));
const activity = new ActivityBuffer();

/**
 * Whether each node does its own work, or the nodes of a process share it: then a seal is verified, a bundle unpacked,
 * compiled and evaluated once in each process. Every connection gets and answers every message in either case.
 */
export type Work = 'own' | 'shared';

/**
 * Runs in a process of its own, and starts the nodes with the numbers that its parent sends: each with a connection of its
 * own and all that a node has but for its process (watchdog, HTTP server, the healthcheck's file).
 */
export function simulate(trustDir: string, work: Work): void {
  const trust = (): TrustedKeyFiles => new TrustedKeyFiles(() => readJsonFiles(trustDir));
  const own = (): Made => {
    const bans = new Bans();
    return { bans, verifier: new Verifier(trust(), subjects, tell), codeServer: codeServer(bans) };
  };
  const bans = new Bans();
  const shared = { bans, verifier: new SharedGate(trust(), subjects, tell), codeServer: codeServer(bans) };
  const partsOf = work === 'own' ? own : () => shared;
  process.on('disconnect', () => process.exit());
  process.on('message', numbers => {
    void startAll(numbers as readonly number[], partsOf).then(
      () => process.send?.('started'),
      (error: unknown) => {
        log.fatal({ err: error }, 'the nodes could not be started');
        process.exit(1);
      },
    );
  });
}

type Made = Pick<NodeParts, 'bans' | 'verifier' | 'codeServer'>;

function codeServer(bans: Bans): CodeServer {
  return new CodeServer(log, { bans, activity, logCharsPerSecond: 100_000 });
}

function tell(error: Error): void {
  log.error({ err: error }, 'a simulated node was sent what it does not trust');
}

async function startAll(numbers: readonly number[], partsOf: () => Made): Promise<void> {
  const left = [...numbers];
  const worker = async (): Promise<void> => {
    for (let number = left.pop(); number !== undefined; number = left.pop()) await start(number, partsOf());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function start(number: number, made: Made): Promise<void> {
  const container = containerOf(number).id;
  const wanted = replicaName(number);
  const nats = await connectAs('node', nodeInbox(wanted));
  const name = await claimName(nats, subjects, wanted, container);
  const node = await ClusterNode.start({
    nats,
    cookie: COOKIE,
    identity: { name, container },
    ...made,
    purgeTimeoutMs: 3_000,
    log,
  });
  node.appear();
  nats.subscribe(BARE, {
    callback: (error, message) => {
      if (error === null && message.reply !== undefined) nats.publish(`${message.reply}.${name}`, name);
    },
  });
  await nats.flush();
}
