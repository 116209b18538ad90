import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { NatsConnection } from '@nats-io/transport-node';

import { UnavailableError } from '../../../protocol/errors.ts';
import type { Head } from '../../../protocol/head.ts';
import { HEARTBEAT_TIMEOUT } from '../../../protocol/limits.ts';
import { nodeDescription } from '../../../protocol/messages.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { readIfThere } from '../../../shared/files.ts';
import { startHealthFile } from '../../../shared/health-file.ts';
import type { Logger } from '../../../shared/logger.ts';
import { NATS_CA_FILE } from '../../../shared/nats/options.ts';
import { drainConnection } from '../../../shared/nats/shutdown.ts';
import { orNullAfter } from '../../../shared/timeout.ts';
import { promiseOf } from '../../../shared/promise-of.ts';
import type { RunLine } from '../api/command-line.ts';
import type { Command } from '../api/command.ts';
import type { OnReport } from '../api/report.ts';
import { createBuild } from '../build/build.ts';
import { compile } from '../build/compile.ts';
import { readConfig } from '../build/language/hotcast-config.ts';
import { availableModules, unreadableModules } from '../build/module-entry.ts';
import { packNamed } from '../build/packages/named-packages.ts';
import { packageFolders } from '../build/packages/package-folder.ts';
import { findProject } from '../build/project-folder.ts';
import { Packages } from '../build/packages/packages.ts';
import { esbuildHelper } from '../build/esbuild-service.ts';
import { preflightProcess } from '../build/preflight/process.ts';
import { Preflight } from '../build/preflight/runner.ts';
import { createRemoteBuild } from '../build/remote/remote-build.ts';
import { UnpackedPackages } from '../build/remote/unpacked-packages.ts';
import { supervise } from '../build/supervise.ts';
import { realPathOf } from '../build/sources/source-file.ts';
import { SourceFiles } from '../build/sources/source-files.ts';
import { TypeCheck } from '../build/type-check.ts';
import { watchFolder } from '../build/sources/watch-folder.ts';
import type { CommandContext } from '../commands/context.ts';
import { askNodes } from '../fleet/ask-nodes.ts';
import { logClocks } from '../fleet/clocks.ts';
import { heartbeatInterval } from '../fleet/heartbeat-interval.ts';
import { watchNodes } from '../fleet/node-watch.ts';
import { createMembership } from '../fleet/membership.ts';
import { finishAndAudit } from '../rollout/commit.ts';
import { actOnFindings, rollBackAndAwait } from '../rollout/automatic-rollback.ts';
import { startBundleGc } from '../rollout/gc/bundle-gc.ts';
import { CanaryMonitor } from '../rollout/canary-monitor.ts';
import type { Audience } from '../rollout/context.ts';
import { accusedHeads } from '../rollout/findings.ts';
import { startHistoryGc } from '../rollout/gc/history-gc.ts';
import { lateResults, withSilentNodes } from '../rollout/late-results.ts';
import { startPackagesGc } from '../rollout/gc/packages-gc.ts';
import { createReconciler } from '../rollout/reconciler.ts';
import { RollbackLimit } from '../rollout/rollback-limit.ts';
import { openAudit } from '../store/audit.ts';
import { RestartWatch } from '../rollout/restart-watch.ts';
import { openKeyring } from '../store/keyring.ts';
import { isNoAnswer } from '../store/no-answer.ts';
import { openStore } from '../store/stream-store.ts';
import type { ControllerConfig } from './config.ts';
import { serveControl } from './control-server.ts';
import { runCommand } from './dispatch.ts';
import { serveOperators } from './operators/serve-operators.ts';
import { isStreamFault, untilOpen } from './opening.ts';
import { watchStore } from './store-health.ts';
import { openPorts } from '../fleet/open-ports.ts';
import { startWebhook } from './webhook/webhook.ts';

/** How long a command waits for a controller that has just started to reach NATS (milliseconds). */
const CONNECT_TIMEOUT_MS = 3_000;

/** NATS answers within this time, or a command fails before anything is sent (milliseconds). */
const ROUND_TRIP_TIMEOUT_MS = 1_000;

/** How long nodes have to answer where no user gives a timeout (milliseconds). */
const NODES_TIMEOUT_MS = 5_000;

/** How long the controller waits when it stops for the commands that run: a push, for example (milliseconds). */
const COMMANDS_TIMEOUT_MS = 5_000;

/** How long it then waits until everything is sent (milliseconds). */
const DRAIN_TIMEOUT_MS = 500;

export interface ControllerDeps {
  readonly config: ControllerConfig;
  /** Opens the controller's NATS connection, which ends with the controller. */
  readonly connect: () => Promise<NatsConnection>;
  /** The program of the preflight process: `build/preflight/child/main.ts`, bundled. */
  readonly preflightScript: string;
  /** The folder with the `node_modules` from which type checks take `@types/node` and `@hotcast/types`. */
  readonly typesDir: string;
  /** Starts what runs command lines in this process. It is a client of the control socket, and ends after the commands have ended. */
  readonly serveCommandLine: (log: Logger) => Promise<AsyncDisposable>;
  /** Runs the command lines of operators, as a client of the control socket too. */
  readonly runLine: RunLine;
  readonly log: Logger;
}

/**
 * Starts a controller: it serves the CLI at once, and keeps the fleet on its heads as soon as it has reached NATS. Disposing it
 * ends everything that it started.
 */
export async function createController({
  config,
  connect,
  preflightScript,
  typesDir,
  serveCommandLine,
  runLine,
  log,
}: ControllerDeps): Promise<AsyncDisposable> {
  const started: (AsyncDisposable | Disposable)[] = [];
  const start = <T extends AsyncDisposable | Disposable>(part: T): T => {
    started.push(part);
    return part;
  };
  const dispose = async (): Promise<void> => {
    for (const part of started.splice(0).toReversed()) {
      if (Symbol.asyncDispose in part) await part[Symbol.asyncDispose]();
      else part[Symbol.dispose]();
    }
  };
  try {
    const { root, modulesDir, sourcesDir } = await findProject(config, why => log.error({ why }, 'the configuration'));
    const unpacked = start(new UnpackedPackages());
    const readable = [...packageFolders(realPathOf(modulesDir)), unpacked.folder];
    const preflight = start(new Preflight(preflightProcess(preflightScript, readable), config.preflight));
    const sources = new SourceFiles(modulesDir, root);
    const typeCheck = start(new TypeCheck(modulesDir, typesDir, sources));
    const supervisor = start(supervise([esbuildHelper, typeCheck, preflight], log));

    const { collector } = config;
    const tracing =
      collector === null
        ? null
        : start((await import('./tracing/traced.ts')).startTracing(collector, config.cookie, log));

    const noAnswer = `NATS does not answer at ${config.natsUrl}`;
    let waitingFor = noAnswer;
    const { promise: ready, resolve: setReady } = promiseOf<CommandContext>();
    mkdirSync(dirname(config.socketPath), { recursive: true });
    const control = await serveControl(
      config.socketPath,
      async (command, report, ...others) => {
        const context = await orNullAfter(CONNECT_TIMEOUT_MS, ready);
        if (context === null) throw new UnavailableError(`${waitingFor}; nothing was sent (see: docker compose logs)`);
        if ((await orNullAfter(ROUND_TRIP_TIMEOUT_MS, context.nats.rtt())) === null) {
          throw new UnavailableError(`${noAnswer}; nothing was sent (see: docker compose logs)`);
        }
        const run = (what: Command, to: OnReport) => runCommand(context, config.cookie, what, to, ...others);
        return (tracing === null ? run(command, report) : tracing.run(command, report, run))
          .catch((error: unknown) => {
            if (!isStreamFault(error)) throw error;
            const what = isNoAnswer(error)
              ? `${noAnswer}; look what was done (hotcast status), then run the command again`
              : `NATS answers, but not for the stream: ${error.message}`;
            throw new UnavailableError(`${what} (see: docker compose logs)`, { cause: error });
          })
          .finally(() => preflight.warm());
      },
      log,
    );
    start(control);
    start(await serveCommandLine(log));

    const nats = await connect();
    waitingFor = 'the controller has just reached NATS and is not ready';
    start({ [Symbol.asyncDispose]: () => drainConnection(nats, DRAIN_TIMEOUT_MS) });
    const { cookie, streamMaxBytes: maxBytes, streamReplicas: replicas } = config;
    const subjects = subjectsOf(cookie);
    const keyring = openKeyring(config.keysDir, config.trustDir, subjects.keys);
    const store = await untilOpen(
      () => openStore(nats, { cookie, subjects, keyring, maxBytes, replicas, diskFolder: config.keysDir }),
      problem => {
        waitingFor = problem;
        log.error({}, problem);
      },
    );
    // What it signs is believed then. If that takes longer, or fails, it goes on when it reconciles.
    await orNullAfter(ROUND_TRIP_TIMEOUT_MS, store.writeKeyLists());
    const membership = start(createMembership(nats, subjects, log));
    logClocks(membership, log);
    const { packagesTimeoutMs, auditFile } = config;
    const audit = await openAudit(nats, cookie, subjects, auditFile, replicas);
    start(await watchNodes({ nats, membership, audit, log }));
    const positionFile = join(config.keysDir, 'webhook-position');
    const webhook =
      config.webhook === null
        ? null
        : start(startWebhook({ endpoint: config.webhook, cookie, audit, positionFile, log }));
    const traced = tracing === null ? {} : { trace: tracing.trace };
    const rollout = { nats, subjects, store, audit, packagesTimeoutMs, ...traced };
    const audience = async (): Promise<Audience> => {
      const { members, awaited, departed } = await membership.expected();
      return { expected: new Set(members.map(({ node }) => node)), awaited, departed, timeoutMs: NODES_TIMEOUT_MS };
    };
    const endCanary = async (head: Head, note: string): Promise<void> =>
      void (await rollBackAndAwait(rollout, { cause: 'canary', heads: [head], note }, audience));
    const monitor = start(
      new CanaryMonitor({
        membership,
        rollBack: endCanary,
        heads: () => store.heads(),
        describe: async (expected, timeoutMs, signal) => {
          const how = { verb: 'describe', expected, timeoutMs, signal, schema: nodeDescription } as const;
          return [...(await askNodes(rollout, how)).values()].map(({ answer }) => answer);
        },
        log,
      }),
    );
    const packages = new Packages();
    const maxPayload = (): number => nats.info?.max_payload ?? Infinity;
    const build = createBuild({
      sources,
      compile: (module, snapshot) => compile(modulesDir, module, snapshot, packages, config.moduleMaxBytes),
      typeCheck,
      preflight,
      maxPayload,
    });
    const { moduleMaxBytes } = config;
    const buildRemotely = createRemoteBuild({ preflight, unpacked, maxPayload, moduleMaxBytes });
    const operators = start(serveOperators({ nats, subjects, store, runLine, log }));
    setReady({
      ...rollout,
      cookie,
      operatorSessions: operators,
      natsAuthority: () => readIfThere(join(config.keysDir, NATS_CA_FILE)),
      membership,
      monitor,
      openPorts,
      webhook: webhook?.delivery ?? null,
      signingKey: keyring,
      build,
      buildRemotely,
      packNamed: specifiers => packNamed(modulesDir, sources, packages, specifiers),
      warm: () => preflight.warm(),
      sources,
      watch: onSave => watchFolder(sourcesDir, modulesDir, onSave),
      groups: async () => (await readConfig(modulesDir, await sources.take(false))).groups,
      availableModules: () => availableModules(modulesDir),
      unreadableModules: () => unreadableModules(modulesDir),
    });

    const listeningSince = performance.now();
    const finish = async (heads: readonly Head[]): Promise<void> => {
      const { members, departed, warning } = await membership.expected();
      // Without the roster, the members are known only when every node had the time for a heartbeat.
      if (warning !== null && performance.now() - listeningSince < HEARTBEAT_TIMEOUT) return;
      const expected = new Set(members.map(({ node }) => node));
      await finishAndAudit(rollout, heads, async () => ({ expected, departed, timeoutMs: NODES_TIMEOUT_MS }));
    };
    const restarts = new RestartWatch();
    const limit = new RollbackLimit();
    const reconciler = start(
      createReconciler({
        ...rollout,
        monitor,
        heartbeatInterval: () => heartbeatInterval(membership.present().length, monitor.isCanaryOpen),
        finish,
        writeLateResults: async (heads, results) => {
          if (withSilentNodes(heads, results).length === 0) return;
          const { expected } = await audience();
          const late = lateResults(heads, results, expected, membership.present());
          await Promise.all(late.map(result => store.writeHeadResult(result)));
        },
        actOnFindings: async (heads, results) => {
          limit.observe(heads);
          const containers = await membership.containers();
          // Without the roster, nobody but the nodes says which of them are real.
          if (containers === null) return;
          restarts.observe(heads, containers);
          const hasRestarted = restarts.hasRestarted.bind(restarts);
          const accused = accusedHeads(heads, results, membership.present(), containers, hasRestarted);
          await actOnFindings(rollout, accused, { audience, limit, log });
        },
        log,
      }),
    );
    membership.onEvent(kind => void (kind === 'stalled' && reconciler.reconcile()));
    await reconciler.start();
    start(startBundleGc(store, log));
    start(startPackagesGc(store, log));
    start(startHistoryGc(store, log));
    const health = start(await watchStore(store, keyring, log));
    start(startHealthFile(config.healthFile, nats, log, () => supervisor.isHealthy && health.isHealthy()));
    start({ [Symbol.asyncDispose]: () => control.finish(COMMANDS_TIMEOUT_MS) });
    log.info({ cookie, readyMs: Math.round(performance.now()) }, 'ready');
    return { [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
