import type { Msg } from '@nats-io/transport-node';
import Docker from 'dockerode';

import { encode } from '../../../../protocol/codec.ts';
import { inboxPrefix } from '../../../../protocol/inboxes.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { openConnection } from '../../../../shared/nats/connection.ts';
import { drainConnection } from '../../../../shared/nats/shutdown.ts';
import { runService } from '../../../../shared/run-service.ts';
import { loadConfig, type RosterConfig } from './config.ts';
import { Containers } from './containers.ts';

/** How long the roster waits when it stops until everything is sent (milliseconds). */
const DRAIN_TIMEOUT_MS = 500;

/** The only process with the Docker socket: it answers which containers there are, and does nothing else. */
async function startRoster(config: RosterConfig, log: Logger): Promise<AsyncDisposable> {
  const containers = new Containers(new Docker(), config.labels);
  void containers.follow();
  const nats = await openConnection(config, { name: 'hotcast-roster', inboxPrefix: inboxPrefix('roster') }, log);
  const answer = async (question: Msg): Promise<void> => {
    question.respond(encode(await containers.list()));
  };
  nats.subscribe(subjectsOf(config.cookie).roster, {
    callback: (error, question) => {
      if (error === null) void answer(question);
    },
  });
  const roster = await containers.list();
  if (roster.status === 'unavailable') log.warn({ detail: roster.detail }, 'the Docker engine does not answer');
  log.info({ labels: config.labels, readyMs: Math.round(performance.now()) }, 'ready');
  return { [Symbol.asyncDispose]: () => drainConnection(nats, DRAIN_TIMEOUT_MS) };
}

await runService({ name: 'hotcast-roster', loadConfig, start: startRoster });
