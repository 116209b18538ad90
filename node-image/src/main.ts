import { hostname } from 'node:os';

import pino from 'pino';

import { encode } from '../../protocol/codec.ts';
import { UsageError } from '../../protocol/errors.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { Trust } from '../../protocol/trust.ts';
import { startAliveFile } from './alive-file.ts';
import { startAnswering } from './answering.ts';
import { Bans, readBans, writeBans } from './bans.ts';
import { CatchUp } from './catch-up.ts';
import { claimName } from './claim.ts';
import { CodeServer } from './code-server.ts';
import { loadConfig, type NodeConfig } from './config.ts';
import { collectGarbage } from './garbage.ts';
import { Gate } from './gate.ts';
import { readKeyFiles } from './key-files.ts';
import { onReconnect, openConnection } from './connection.ts';
import { describeNode } from './describe.ts';
import { HttpServer } from './http-server.ts';
import { ownName } from './identity.ts';
import { guardProcess } from './owned-process.ts';
import { startPresence } from './presence.ts';
import { Store } from './store.ts';
import { UntrustedLog } from './untrusted-log.ts';
import { startWatchdog } from './watchdog.ts';
import { Whereabouts } from './whereabouts.ts';

/** How long a node that is told to stop waits for calls in flight (milliseconds). */
const CALLS_MAY_TAKE = 700;

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

const identity = { name, container };
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
const gate = new Gate(new Trust(() => readKeyFiles(config.trustDir)), subjects, error => untrusted.add(error));
const catchUp = new CatchUp(name, codeServer, await Store.open(nats, config.cookie, subjects, gate), log);
await startAnswering({ nats, subjects, identity, gate, codeServer, catchUp, purgeMayTake: config.purgeMayTake, log });
await catchUp.readHeads();
void onReconnect(nats, () => catchUp.readHeads());
const http = await HttpServer.start({ port: config.httpPort, node: name, codeServer, log });
// Half of the heap is what starting has left, and an idle process may keep that for long.
collectGarbage();
const presence = startPresence(nats, subjects, () => describeNode(identity, codeServer, gate));
for (const { script, detail } of bans.active) log.warn({ script }, `banned on this node: it ${detail}`);
if (bans.active.length > 0) {
  nats.publish(subjects.event(name, 'stalled'), encode(describeNode(identity, codeServer, gate)));
}
const aliveFile = startAliveFile(config.aliveFile, nats, log);
log.info({ container, pid: process.pid, readyMs: Math.round(performance.now()) }, 'ready');

let stopping = false;
async function stop(signal: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  aliveFile.stop();
  presence.goodbye();
  http.stop();
  const deadline = performance.now() + CALLS_MAY_TAKE;
  while ((codeServer.callsInFlight > 0 || http.connections > 0) && performance.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  await Promise.race([nats.drain(), new Promise(resolve => setTimeout(resolve, 200))]);
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
