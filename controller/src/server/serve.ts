import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { NatsConnection } from '@nats-io/transport-node';

import { UnavailableError } from '../../../protocol/errors.ts';
import type { Head } from '../../../protocol/head.ts';
import { HEARTBEAT_TIMEOUT } from '../../../protocol/limits.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { createBuild } from '../build/build.ts';
import { compile } from '../build/compile.ts';
import type { ControllerConfig } from './config.ts';
import { type Run, serveControl } from './control-server.ts';
import { CanaryMonitor } from '../rollout/canary-monitor.ts';
import { type CommandParts, runCommand } from './dispatch.ts';
import { Membership } from '../fleet/membership.ts';
import { openKeyring } from '../store/keyring.ts';
import { Reconciler } from '../rollout/reconciler.ts';
import { heartbeatInterval } from '../fleet/heartbeat-interval.ts';
import { Preflight } from '../build/preflight/runner.ts';
import { endCanary } from '../commands/rollback.ts';
import { awaitCommit } from '../rollout/commit.ts';
import { createLogger } from '../../../shared/logger.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';
import { StreamStore } from '../store/stream-store.ts';
import { TypeCheck } from '../build/type-check.ts';
import { goBack, stalledHeads } from '../rollout/automatic-rollback.ts';
import { drainConnection } from '../../../shared/nats/shutdown.ts';
import { openConnection } from '../../../shared/nats/connection.ts';

/** A command waits this long for a controller that has just started to reach NATS (milliseconds). */
const CONNECTING = 3_000;

/** How long the controller waits when it stops until everything is sent (milliseconds). */
const DRAIN_TIMEOUT_MS = 500;

/** How long nodes may take to answer where no user says how long (milliseconds). */
const PATIENCE = 5_000;

/** The controller's long-lived process: serves the command line, and tells the fleet what should run. */
export async function serve(config: ControllerConfig): Promise<void> {
  const log = createLogger(config.logLevel);
  const natsDown = (): UnavailableError =>
    new UnavailableError(`NATS does not answer at ${config.natsUrl}; nothing was sent (see: make logs)`);
  let up = (_parts: CommandParts): void => undefined;
  const connected = new Promise<CommandParts>(resolve => (up = resolve));
  const run: Run = async (command, say) => {
    const parts = await within(CONNECTING, connected);
    if (parts === null || (await within(1_000, parts.nats.rtt())) === null) throw natsDown();
    return runCommand(parts, config.cookie, command, say).finally(() => preflight.warm());
  };
  const preflight = new Preflight(join(import.meta.dirname, 'preflight.mjs'), config.preflight);
  preflight.warm();
  const typeCheck = new TypeCheck(config.modulesDir, import.meta.dirname);
  typeCheck.warm();
  mkdirSync(dirname(config.socketPath), { recursive: true });
  const server = await serveControl(config.socketPath, run, log);
  const stop = (nats: NatsConnection | null) => (signal: NodeJS.Signals) => {
    log.info({ signal }, 'stopped');
    server.close();
    const left = nats === null ? Promise.resolve() : drainConnection(nats, DRAIN_TIMEOUT_MS);
    void left.then(() => process.exit(0));
  };
  const stopEarly = stop(null);
  process.on('SIGTERM', stopEarly).on('SIGINT', stopEarly);

  const nats = await openConnection(
    config,
    { name: 'hotcast-controller', inboxPrefix: inboxPrefix('controller') },
    log,
  );
  const subjects = subjectsOf(config.cookie);
  const keyring = openKeyring(config.keysDir, config.trustDir);
  const store = await StreamStore.open(nats, config.cookie, subjects, keyring, config.streamMayHold);
  const fleet = new Membership(nats, subjects, log);
  const watch = new CanaryMonitor(fleet, (head, reason) => endCanary(parts, head, reason, PATIENCE), log);
  const candidates = createBuild({
    compile: module => compile(config.modulesDir, module),
    typeCheck,
    preflight,
    maxPayload: () => nats.info?.max_payload ?? Infinity,
  });
  const parts: CommandParts = { nats, subjects, store, fleet, keyring, watch, candidates };
  const listeningSince = performance.now();
  const finish = async (heads: readonly Head[]): Promise<void> => {
    const { members, warning } = await fleet.expected();
    // Without the roster it is known who should answer only when every node had the time to tell that it is there.
    if (warning !== null && performance.now() - listeningSince < HEARTBEAT_TIMEOUT) return;
    await awaitCommit(parts, heads, { expected: new Set(members.map(({ node }) => node)), timeoutMs: PATIENCE });
  };
  up(parts);
  process.off('SIGTERM', stopEarly).off('SIGINT', stopEarly);
  process.on('SIGTERM', stop(nats)).on('SIGINT', stop(nats));
  const keeper = new Reconciler({
    nats,
    subjects,
    store,
    watch,
    heartbeatInterval: () => heartbeatInterval(fleet.present().length, watch.isTrialOpen),
    finish,
    goBack: (heads, headResults) => goBack(parts, stalledHeads(heads, headResults, fleet.present()), PATIENCE, log),
    log,
  });
  fleet.onEvent(kind => void (kind === 'stalled' && keeper.turn()));
  await keeper.start();
  log.info({ cookie: config.cookie, readyMs: Math.round(performance.now()) }, 'ready');
}

/** The promise's value; null when it does not come in time, or the promise is rejected. */
async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T | null> {
  const timeout = new Promise<null>(resolve => setTimeout(resolve, timeoutMs, null).unref());
  return Promise.race([promise.catch(() => null), timeout]);
}
