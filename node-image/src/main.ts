import { hostname } from 'node:os';

import { UsageError } from '../../protocol/errors.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { TrustedKeyFiles } from '../../protocol/signing/trusted-keys.ts';
import { startHealthFile } from './process/health-file.ts';
import { Bans, readBans, writeBans } from './watchdog/bans.ts';
import { claimName } from './cluster/name-claim.ts';
import { ClusterNode } from './cluster/cluster-node.ts';
import { CodeServer } from './modules/code-server.ts';
import { loadConfig, type NodeConfig } from './config.ts';
import { createLogger } from '../../shared/logger.ts';
import { nodeInbox } from '../../protocol/inboxes.ts';
import { openConnection } from '../../shared/nats/connection.ts';
import { collectGarbage } from './process/collect-garbage.ts';
import { Verifier } from './admission/verifier.ts';
import { HttpServer } from './http/server.ts';
import { resolveNodeName } from './cluster/node-name.ts';
import { readJsonFiles } from '../../shared/files.ts';
import { guardProcess } from './sandbox/scoped-process.ts';
import { RejectionLog } from './admission/rejection-log.ts';
import { startWatchdog } from './watchdog/watchdog.ts';
import { ActivityBuffer } from './watchdog/activity-buffer.ts';
import { drainConnection } from '../../shared/nats/shutdown.ts';

/** How long a node that is told to stop waits for calls in flight (milliseconds). */
const CALLS_MAY_TAKE = 700;

/** And this long for what it has still to send (milliseconds). */
const DRAIN_TIMEOUT_MS = 200;

const config = loadConfigOrExit();
const root = createLogger(config.logLevel);
const container = hostname();
const subjects = subjectsOf(config.cookie);

const wanted = await resolveNodeName(container);
const nats = await openConnection(config, { name: `hotcast-node ${container}`, inboxPrefix: nodeInbox(wanted) }, root);
const name = await claimName(nats, subjects, wanted, container);
const log = root.child({ node: name });

const { maxBlockMs, maxMemoryMb, bansFile, logCharsPerSecond } = config;
const bans = new Bans(readBans(bansFile), all => {
  try {
    writeBans(bansFile, all);
  } catch (error) {
    log.warn({ err: error, bansFile }, 'a lifted ban could not be written; it is back after a restart');
  }
});
const activity = new ActivityBuffer();
const codeServer = new CodeServer(log, { logCharsPerSecond, bans, activity });
// A module's stray error is its own: it is counted against its revision, and does not take the node down.
const onStray = (kind: string) => (error: unknown) => {
  if (!codeServer.blameStray(error)) log.error({ err: codeServer.describeError(error) }, kind);
};
process.on('uncaughtException', onStray('uncaught error')).on('unhandledRejection', onStray('unhandled rejection'));
const endProcess = guardProcess();

startWatchdog({
  activity,
  maxBlockMs,
  maxMemoryMb,
  bansFile,
  node: name,
  locate: position => codeServer.locate(position),
  log,
});
const rejected = new RejectionLog(nats, subjects, name, log);
const node = await ClusterNode.start({
  nats,
  cookie: config.cookie,
  identity: { name, container },
  verifier: new Verifier(new TrustedKeyFiles(() => readJsonFiles(config.trustDir)), subjects, error =>
    rejected.add(error),
  ),
  bans,
  codeServer,
  purgeTimeoutMs: config.purgeTimeoutMs,
  log,
});
const http = await HttpServer.start({ port: config.httpPort, node: name, codeServer, log });
// Half of the heap is what starting has left, and an idle process may keep that for long.
collectGarbage();
node.appear();
const healthFile = startHealthFile(config.healthFile, nats, log);
log.info({ container, pid: process.pid, readyMs: Math.round(performance.now()) }, 'ready');

let stopping = false;
async function stop(signal: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  healthFile.stop();
  node.goodbye();
  http.stop();
  const deadline = performance.now() + CALLS_MAY_TAKE;
  while ((codeServer.callsInFlight > 0 || http.connections > 0) && performance.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  await drainConnection(nats, DRAIN_TIMEOUT_MS);
  log.info({ signal, unfinishedCalls: codeServer.callsInFlight }, 'stopped');
  endProcess(0);
}
process.on('SIGTERM', signal => void stop(signal));
process.on('SIGINT', signal => void stop(signal));

function loadConfigOrExit(): NodeConfig {
  try {
    return loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`hotcast-node: ${error.message}\n`);
    return process.exit(2);
  }
}
