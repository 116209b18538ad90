import type { Msg } from '@nats-io/transport-node';
import Docker from 'dockerode';

import { encode } from '../../../../protocol/codec.ts';
import { inboxPrefix } from '../../../../protocol/inboxes.ts';
import { HEARTBEAT_INTERVAL } from '../../../../protocol/limits.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { PROTOCOL } from '../../../../protocol/version.ts';
import { startHealthFile } from '../../../../shared/health-file.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { openConnection } from '../../../../shared/nats/connection.ts';
import { drainConnection } from '../../../../shared/nats/shutdown.ts';
import { runService } from '../../../../shared/run-service.ts';
import { loadConfig, type RosterConfig } from './config.ts';
import { Containers } from './containers.ts';

/** The timeout for sending what is left when the roster stops. */
const DRAIN_TIMEOUT_MS = 500;

/** Answers requests with the list of node containers. It is the only process with the Docker socket, and does nothing else. */
async function startRoster(config: RosterConfig, log: Logger): Promise<AsyncDisposable> {
  const containers = new Containers(new Docker(), config.labels, config.project);
  void containers.follow();
  const nats = await openConnection(config, { name: 'hotcast-roster', inboxPrefix: inboxPrefix('roster') }, log);
  const respond = async (message: Msg): Promise<void> => {
    message.respond(encode({ protocol: PROTOCOL, ...(await containers.list()) }));
  };
  nats.subscribe(subjectsOf(config.cookie).roster, {
    callback: (error, message) => {
      if (error === null) void respond(message);
    },
  });
  let hasEngine = true;
  const look = async (): Promise<void> => {
    const roster = await containers.list();
    if (hasEngine && roster.status === 'unavailable')
      log.warn({ detail: roster.detail }, 'the Docker engine does not answer');
    hasEngine = roster.status === 'containers';
  };
  await look();
  const timer = setInterval(() => void look(), HEARTBEAT_INTERVAL);
  const health = startHealthFile(config.healthFile, nats, log, () => hasEngine);
  log.info({ labels: config.labels, readyMs: Math.round(performance.now()) }, 'ready');
  return {
    [Symbol.asyncDispose]: () => {
      clearInterval(timer);
      health[Symbol.dispose]();
      return drainConnection(nats, DRAIN_TIMEOUT_MS);
    },
  };
}

await runService({ name: 'hotcast-roster', loadConfig, start: startRoster });
