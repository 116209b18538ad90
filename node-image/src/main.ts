import { hostname } from 'node:os';

import pino from 'pino';

import { leave } from '../../protocol/connection.ts';
import { UsageError } from '../../protocol/errors.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { Trust } from '../../protocol/trust.ts';
import { startAliveFile } from './alive-file.ts';
import { Bans, readBans, writeBans } from './bans.ts';
import { claimName } from './claim.ts';
import { ClusterNode } from './cluster-node.ts';
import { CodeServer } from './code-server.ts';
import { loadConfig, type NodeConfig } from './config.ts';
import { openConnection } from './connection.ts';
import { collectGarbage } from './garbage.ts';
import { Gate } from './gate.ts';
import { HttpServer } from './http-server.ts';
import { ownName } from './identity.ts';
import { readKeyFiles } from './key-files.ts';
import { guardProcess } from './owned-process.ts';
import { UntrustedLog } from './untrusted-log.ts';
import { startWatchdog } from './watchdog.ts';
import { Whereabouts } from './whereabouts.ts';

/** How long a node that is told to stop waits for calls in flight (milliseconds). */
const CALLS_MAY_TAKE = 700;

/** And this long for what it has still to send (milliseconds). */
const MAY_DRAIN = 200;

const config = loadConfigOrExit();
const root = pino({
  level: config.logLevel,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  // What a module threw was explained already; pino would call its type `Object`.
  serializers: { err: (err: unknown) => (err instanceof Error ? pino.stdSerializers.err(err) : err) },
});
const container = hostname();
const subjects = subjectsOf(config.cookie);

const wanted = await ownName(container);
const nats = await openConnection(config, wanted, container, root);
const name = await claimName(nats, subjects, wanted, container);
const log = root.child({ node: name });

const { loopMayBlock, memoryMayUse, bansFile, logMayWrite } = config;
const bans = new Bans(readBans(bansFile), all => {
  try {
    writeBans(bansFile, all);
  } catch (error) {
    log.warn({ err: error, bansFile }, 'a lifted ban could not be written; it is back after a restart');
  }
});
const whereabouts = new Whereabouts();
const codeServer = new CodeServer(log, { logMayWrite, bans, whereabouts });
// A module's stray error is its own: it is counted against its revision, and does not take the node down.
const onStray = (kind: string) => (error: unknown) => {
  if (!codeServer.blameStray(error)) log.error({ err: codeServer.explain(error) }, kind);
};
process.on('uncaughtException', onStray('uncaught error')).on('unhandledRejection', onStray('unhandled rejection'));
const endProcess = guardProcess();

startWatchdog({
  whereabouts,
  loopMayBlock,
  memoryMayUse,
  bansFile,
  node: name,
  locate: position => codeServer.locate(position),
  log,
});
const untrusted = new UntrustedLog(nats, subjects, name, log);
const node = await ClusterNode.start({
  nats,
  cookie: config.cookie,
  identity: { name, container },
  gate: new Gate(new Trust(() => readKeyFiles(config.trustDir)), subjects, error => untrusted.add(error)),
  bans,
  codeServer,
  purgeMayTake: config.purgeMayTake,
  log,
});
const http = await HttpServer.start({ port: config.httpPort, node: name, codeServer, log });
// Half of the heap is what starting has left, and an idle process may keep that for long.
collectGarbage();
node.appear();
const aliveFile = startAliveFile(config.aliveFile, nats, log);
log.info({ container, pid: process.pid, readyMs: Math.round(performance.now()) }, 'ready');

let stopping = false;
async function stop(signal: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  aliveFile.stop();
  node.goodbye();
  http.stop();
  const deadline = performance.now() + CALLS_MAY_TAKE;
  while ((codeServer.callsInFlight > 0 || http.connections > 0) && performance.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  await leave(nats, MAY_DRAIN);
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
