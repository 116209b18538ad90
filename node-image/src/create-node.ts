import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import type { NatsConnection } from '@nats-io/transport-node';

import { encode } from '../../protocol/codec.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { collectGarbage } from '../../shared/collect-garbage.ts';
import { startHealthFile } from '../../shared/health-file.ts';
import type { Logger } from '../../shared/logger.ts';
import { drainConnection } from '../../shared/nats/shutdown.ts';
import { orNullAfter } from '../../shared/timeout.ts';
import { openTrust } from '../../shared/signing/trust.ts';
import { rejectionLog } from './admission/rejection-log.ts';
import { Verifier } from './admission/verifier.ts';
import { startClusterNode } from './cluster/cluster-node.ts';
import { leftOutHeads } from './cluster/left-out.ts';
import type { Identity } from './cluster/node-description.ts';
import { warmUp } from './cluster/warm-up.ts';
import { reservePort } from './http/listen.ts';
import { startHttpServer } from './http/server.ts';
import { installWebClasses } from './http/web/install.ts';
import type { NodeConfig } from './config.ts';
import { startMetricsServer } from './metrics/metrics-server.ts';
import { CodeServer } from './modules/code-server.ts';
import type { DrainingLimits } from './modules/draining.ts';
import { ExternalPackages } from './packages/external-packages.ts';
import { PackageFolder } from './packages/package-folder.ts';
import { Packages } from './packages/packages.ts';
import { collectAfterChanges } from './process/collect-after-changes.ts';
import { giveDebuggersMaps } from './process/debugger-maps.ts';
import { liveMemoryAbove } from './process/live-memory.ts';
import { memoryLimits } from './process/memory-limit.ts';
import { PACKAGES } from './process/state-folder.ts';
import { ModuleLogs } from './sandbox/logs/module-logs.ts';
import { ScopedResources } from './sandbox/scoped-resources.ts';
import { type StopDeadline, stopDeadline } from './stop-deadline.ts';
import { ActivityBuffer } from './watchdog/activity-buffer.ts';
import { Bans, readBans, writeBans } from './watchdog/bans.ts';
import { NO_RESTARTS, type Restarts, takeRestarts } from './watchdog/restarts.ts';
import { startWatchdog } from './watchdog/start-watchdog.ts';

/** What a node needs. */
export interface NodeDeps extends Omit<
  NodeConfig,
  'natsUrl' | 'keysDir' | 'logLevel' | 'project' | 'replicaOffset' | 'taskName' | 'group'
> {
  /** The connection of this node, which closes with it. */
  readonly nats: NatsConnection;
  readonly identity: Identity;
  readonly log: Logger;
  /** The script of the watchdog's thread; null: no watchdog. */
  readonly watchdogScript: URL | null;
}

/**
 * Starts a node. Resolves when it runs the modules of its cluster and serves requests. Disposing it stops all of it within
 * `stopTimeoutMs`: it takes no new calls, calls in flight end, the versions end with their `dispose` callbacks, and NATS gets
 * the last messages.
 *
 * @throws UsageError when its HTTP port is taken.
 */
export async function createNode(deps: NodeDeps): Promise<AsyncDisposable> {
  const { nats, identity, log, cookie } = deps;
  const disposers: ((deadline: StopDeadline) => void | Promise<void>)[] = [];
  const dispose = async (): Promise<void> => {
    const deadline = stopDeadline(deps.stopTimeoutMs);
    for (let end = disposers.pop(); end !== undefined; end = disposers.pop()) await end(deadline);
  };
  try {
    const { stateDir } = deps;
    const bansFile = join(stateDir, 'bans.json');
    const bans = openBans(bansFile, log);
    const restartsFile = join(stateDir, 'restarts.json');
    const restarts = openRestarts(restartsFile, log);
    const activity = new ActivityBuffer();
    const limits = memoryLimits(deps.memoryLimitMb);
    if (limits.note !== null) log.warn({}, limits.note);
    const resources = new ScopedResources();
    disposers.push(() => resources[Symbol.dispose]());
    const folder = new PackageFolder(join(stateDir, PACKAGES));
    const packages = new Packages({
      folder,
      external: new ExternalPackages(deps.externalDir),
      resources,
      log,
      onError: error => catchError('error in a package', error),
    });
    disposers.push(() => packages[Symbol.dispose]());
    const webClasses = installWebClasses();
    disposers.push(() => webClasses[Symbol.dispose]());
    const subjects = subjectsOf(cookie);
    const logs = new ModuleLogs(message => {
      if (nats.isClosed() || nats.isDraining()) return;
      nats.publish(subjects.log(identity.name), encode({ node: identity.name, ...message }));
    });
    disposers.push(() => logs.tail[Symbol.dispose]());
    const codeServer = new CodeServer(log, {
      ...deps,
      logs,
      packages,
      resources,
      bans,
      activity,
      draining: drainingLimits(deps, limits.liveMb),
      memoryShortage: shortageOf(limits.liveMb),
    });
    const catchError = (kind: string, error: unknown): void => {
      if (!codeServer.errors.countUncaught(error)) log.error({ err: codeServer.errors.describe(error) }, kind);
    };
    disposers.push(catchStrayErrors(catchError));
    const debuggerMaps = giveDebuggersMaps(codeServer.errors.sourceMap);
    disposers.push(() => debuggerMaps[Symbol.dispose]());
    if (deps.watchdogScript !== null) {
      const { sourcePosition } = codeServer.errors;
      const { eventLoopTimeoutMs, watchdogScript: script } = deps;
      const memory = { memoryLimits: limits, memoryNote: limits.note };
      const data = { ...memory, bansFile, restartsFile, eventLoopTimeoutMs, node: identity.name };
      const watchdog = startWatchdog({ ...data, script, activity, sourcePosition, liveMemoryAbove, log });
      disposers.push(async () => watchdog[Symbol.asyncDispose]());
    }
    disposers.push(async ({ natsMs }) => drainConnection(nats, natsMs()));
    disposers.push(async ({ versionsMs }) => codeServer.stop(versionsMs()));
    const loopDelay = monitorEventLoopDelay({ samplePerIteration: true });
    loopDelay.enable();
    disposers.push(() => void loopDelay.disable());
    const verifier = new Verifier(
      openTrust(deps.trustDir, subjects),
      subjects,
      rejectionLog(nats, subjects, identity.name, log),
    );
    const leftOut = leftOutHeads(join(stateDir, 'left-out.json'), restarts, log);
    const reserved = await reservePort(deps.httpPort);
    disposers.push(() => reserved[Symbol.dispose]());
    if (deps.metricsPort > 0) {
      const described = { node: identity.name, codeServer, packages };
      const metrics = await startMetricsServer({ ...described, port: deps.metricsPort, log });
      disposers.push(async () => metrics[Symbol.asyncDispose]());
    }
    const node = await startClusterNode({ ...deps, packages, verifier, bans, leftOut, codeServer, loopDelay });
    disposers.push(() => node[Symbol.dispose]());
    reserved[Symbol.dispose]();
    const http = await startHttpServer({ port: deps.httpPort, node: identity.name, codeServer });
    disposers.push(async () => http[Symbol.asyncDispose]());
    // Half of the heap of a started process is garbage of its start.
    collectGarbage();
    await warmUp();
    const collector = collectAfterChanges();
    disposers.push(() => collector[Symbol.dispose]());
    codeServer.onChanged(collector.changed);
    activity.setReady();
    node.announce();
    const healthFile = startHealthFile(deps.healthFile, nats, log);
    disposers.push(async ({ natsMs, callsMs, versionsMs, restMs }) => {
      healthFile[Symbol.dispose]();
      await http.withdraw(callsMs());
      codeServer.closePorts();
      await Promise.all([orNullAfter(natsMs(), node.leave(deps.stopTimeoutMs)), http.stop(callsMs())]);
      await finishCalls(codeServer, callsMs(), log);
      await codeServer.stop(versionsMs());
      node.end(restMs());
    });
    return { [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function drainingLimits(deps: NodeDeps, memoryLimitMb: number): DrainingLimits {
  const { maxDrainingVersions: maxVersions, maxDrainingMemoryPercent: percent } = deps;
  const memoryExcess = (): string | null => {
    const liveMb = liveMemoryAbove((percent / 100) * memoryLimitMb);
    if (liveMb === null) return null;
    return `the node holds ${Math.round(liveMb)} MB, more than ${percent} % of its limit of ${Math.round(memoryLimitMb)} MB`;
  };
  return { maxVersions, memoryExcess };
}

/** Says why a node has not so many bytes left, see {@link CodeServer}. */
function shortageOf(limitMb: number): (bytes: number) => string | null {
  return bytes => {
    const neededMb = bytes / 2 ** 20;
    const liveMb = liveMemoryAbove(limitMb - neededMb);
    if (liveMb === null) return null;
    const leftMb = Math.max(0, Math.floor(limitMb - liveMb));
    return `it needs about ${Math.ceil(neededMb)} MB, and this node has ${leftMb} MB left of ${Math.round(limitMb)} MB`;
  };
}

function openRestarts(file: string, log: Logger): Restarts {
  try {
    const { restarts, alarmMb } = takeRestarts(file, Date.now());
    const container = process.constrainedMemory() / 2 ** 20;
    if (alarmMb !== null) {
      log.error(
        { alarmMb: Math.round(alarmMb), containerMb: Math.round(container) },
        'the last process of this node ended without a word when its memory was too large: the kernel has killed it, or V8 ' +
          'has ended it; raise NODE_MEMORY, or lower MEMORY_LIMIT_MB',
      );
    }
    return restarts;
  } catch (error) {
    log.warn({ err: error, file }, 'the restarts of this node could not be saved');
    return NO_RESTARTS;
  }
}

function openBans(file: string, log: Logger): Bans {
  return new Bans(readBans(file), bans => {
    try {
      writeBans(file, bans);
    } catch (error) {
      log.warn({ err: error, file }, 'a lifted ban could not be saved; it is active again after a restart');
    }
  });
}

/** Counts uncaught errors of modules against their revisions. They do not end the process. Returns what undoes this. */
function catchStrayErrors(catchError: (kind: string, error: unknown) => void): () => void {
  const onException = (error: unknown): void => catchError('uncaught error', error);
  const onRejection = (error: unknown): void => catchError('unhandled rejection', error);
  process.on('uncaughtException', onException).on('unhandledRejection', onRejection);
  return () => void process.off('uncaughtException', onException).off('unhandledRejection', onRejection);
}

async function finishCalls(codeServer: CodeServer, timeoutMs: number, log: Logger): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (codeServer.callsInFlight > 0 && performance.now() < deadline) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  const { callsInFlight } = codeServer;
  if (callsInFlight > 0) log.warn({ unfinishedCalls: callsInFlight }, 'stopped with unfinished calls');
}
