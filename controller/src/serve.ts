import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { NatsConnection } from '@nats-io/transport-node';
import pino from 'pino';

import { leave } from '../../protocol/connection.ts';
import { UnavailableError } from '../../protocol/errors.ts';
import type { Head } from '../../protocol/head.ts';
import { PRESENCE_LIFETIME } from '../../protocol/limits.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { candidatesFrom } from './candidates.ts';
import { compile } from './compile.ts';
import type { ControllerConfig } from './config.ts';
import { openConnection } from './connection.ts';
import { type Run, serveControl } from './control-server.ts';
import { CanaryWatch } from './canary-watch.ts';
import { type CommandParts, runCommand } from './controller.ts';
import { Fleet } from './fleet.ts';
import { openKeyring } from './keyring.ts';
import { Keeper } from './keeper.ts';
import { presenceEvery } from './pace.ts';
import { Preflight } from './preflight.ts';
import { endCanary } from './rollback.ts';
import { confirm } from './settle.ts';
import { MAY_DRAIN } from './stop.ts';
import { Store } from './store.ts';
import { TypeCheck } from './type-check.ts';
import { goBack, stalledHeads } from './way-back.ts';

/** A command waits this long for a controller that has just started to reach NATS (milliseconds). */
const CONNECTING = 3_000;

/** How long nodes may take to answer where no user says how long (milliseconds). */
const PATIENCE = 5_000;

/** The controller's long-lived process: serves the command line, and tells the fleet what should run. */
export async function serve(config: ControllerConfig): Promise<void> {
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
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
    const left = nats === null ? Promise.resolve() : leave(nats, MAY_DRAIN);
    void left.then(() => process.exit(0));
  };
  const stopEarly = stop(null);
  process.on('SIGTERM', stopEarly).on('SIGINT', stopEarly);

  const nats = await openConnection(config, 'controller', log);
  const subjects = subjectsOf(config.cookie);
  const keyring = openKeyring(config.keysDir, config.trustDir);
  const store = await Store.open(nats, config.cookie, subjects, keyring, config.streamMayHold);
  const fleet = new Fleet(nats, subjects, log);
  const watch = new CanaryWatch(fleet, (head, reason) => endCanary(parts, head, reason, PATIENCE), log);
  const candidates = candidatesFrom({
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
    if (warning !== null && performance.now() - listeningSince < PRESENCE_LIFETIME) return;
    await confirm(parts, heads, { expected: new Set(members.map(({ node }) => node)), patience: PATIENCE });
  };
  up(parts);
  process.off('SIGTERM', stopEarly).off('SIGINT', stopEarly);
  process.on('SIGTERM', stop(nats)).on('SIGINT', stop(nats));
  const keeper = new Keeper({
    nats,
    subjects,
    store,
    watch,
    presenceEvery: () => presenceEvery(fleet.present().length, watch.isTrialOpen),
    finish,
    goBack: (heads, outcomes) => goBack(parts, stalledHeads(heads, outcomes, fleet.present()), PATIENCE, log),
    log,
  });
  fleet.onEvent(kind => void (kind === 'stalled' && keeper.turn()));
  await keeper.start();
  log.info({ cookie: config.cookie, readyMs: Math.round(performance.now()) }, 'ready');
}

/** The promise's value; null when it does not come in time, or the promise is rejected. */
async function within<T>(patience: number, promise: Promise<T>): Promise<T | null> {
  const timeout = new Promise<null>(resolve => setTimeout(resolve, patience, null).unref());
  return Promise.race([promise.catch(() => null), timeout]);
}
