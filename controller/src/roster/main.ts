import type { Msg } from '@nats-io/transport-node';
import Docker from 'dockerode';
import pino from 'pino';

import { encode } from '../../../protocol/codec.ts';
import { HotcastError } from '../../../protocol/errors.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { openConnection } from '../connection.ts';
import { stopOnSignals } from '../stop.ts';
import { loadConfig, type RosterConfig } from './config.ts';
import { Containers } from './containers.ts';

/** The one process that holds the Docker socket: it tells which containers there are, and does nothing else. */
async function main(config: RosterConfig): Promise<void> {
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const containers = new Containers(new Docker(), config.labels);
  void containers.follow();
  const nats = await openConnection(config, 'roster', log);
  const answer = async (question: Msg): Promise<void> => {
    question.respond(encode(await containers.list()));
  };
  nats.subscribe(subjectsOf(config.cookie).roster, {
    callback: (error, question) => {
      if (error === null) void answer(question);
    },
  });
  stopOnSignals(nats, log);
  const roster = await containers.list();
  if (roster.status === 'unavailable') log.warn({ detail: roster.detail }, 'the Docker engine does not answer');
  log.info({ labels: config.labels, readyMs: Math.round(performance.now()) }, 'ready');
}

try {
  await main(loadConfig(process.env));
} catch (error) {
  if (!(error instanceof HotcastError)) throw error;
  process.stderr.write(`hotcast-roster: ${error.message}\n`);
  process.exitCode = 2;
}
