import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { decode } from '@nats-io/jwt';
import type { Msg } from '@nats-io/transport-node';
import pino from 'pino';
import * as v from 'valibot';

import { HotcastError } from '../../../protocol/errors.ts';
import { openConnection } from '../connection.ts';
import { ISSUER_SEED, type PublicKeys, readPublicKeys, USERS } from '../keys/make-keys.ts';
import { type DoorConfig, loadConfig } from './config.ts';
import { hostName } from './host-name.ts';
import { applicationSchema, letIn } from './let-in.ts';
import { signingPair } from './nkey.ts';

/** Where NATS asks whether a client may connect (ADR-26). */
const QUESTIONS = '$SYS.REQ.USER.AUTH';

/** Lets nodes in to NATS, each as the one that runs at its address, and nobody else. */
async function main(config: DoorConfig): Promise<void> {
  const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const issuer = signingPair(readFileSync(join(config.keysDir, ISSUER_SEED)));
  const nats = await openConnection(config, 'door', log);
  const answer = async (question: Msg): Promise<void> => {
    try {
      question.respond(await decide(question.string()));
    } catch (error) {
      log.warn({ err: error }, 'a question of NATS could not be answered');
    }
  };
  const decide = async (question: string): Promise<string> => {
    const request = v.parse(applicationSchema, decode(question).nats);
    const host = await hostName(request.client_info.host);
    const { token, name } = await letIn({ request, host }, cookiesIn(config.keysDir), issuer);
    if (name === null) log.warn({ address: request.client_info.host, host }, 'not let in');
    else log.debug({ node: name }, 'let in');
    return token;
  };
  nats.subscribe(QUESTIONS, {
    callback: (error, question) => {
      if (error === null) void answer(question);
    },
  });
  const stop = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'stopped');
    void Promise.race([nats.drain(), new Promise(resolve => setTimeout(resolve, 500))]).finally(() => process.exit(0));
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  log.info({ readyMs: Math.round(performance.now()) }, 'ready');
}

function cookiesIn(keysDir: string): PublicKeys[] {
  const folder = join(keysDir, USERS);
  const files = readdirSync(folder).filter(file => file.endsWith('.json'));
  return files.map(file => readPublicKeys(readFileSync(join(folder, file))));
}

try {
  await main(loadConfig(process.env));
} catch (error) {
  if (!(error instanceof HotcastError)) throw error;
  process.stderr.write(`hotcast-door: ${error.message}\n`);
  process.exitCode = 2;
}
