import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { connect, type NatsConnection } from '@nats-io/transport-node';

import { encode, parseJson } from '../../protocol/codec.ts';
import { inboxPrefix } from '../../protocol/inboxes.ts';
import type { CallRequest } from '../../protocol/messages.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { encodeArguments } from '../../protocol/values/encode.ts';
import type { Turn } from '../http/main.ts';
import { FLAGS } from '../runtime/flags.ts';
import { COOKIE, MODULE, NODE, SERVICE } from './names.ts';

/** Runs beside NATS, with a process for each server. The samples of each server are in the order of the rounds. */
export type Measured = Readonly<Record<string, readonly Turn[]>>;

/** Calls of one turn, those that are sent before their answers are there, and turns that do not count. */
const CALLS = 20_000;
const AT_ONCE = 16;
const WARM_UP = 2;

interface Callee {
  readonly subject: string;
  readonly payload: Uint8Array;
  /** Whether an answer has the sum. */
  readonly isRight: (answer: unknown) => boolean;
}

const ARGUMENTS = [1, 2];
const request = { module: MODULE, function: 'add', args: encodeArguments(ARGUMENTS) } satisfies CallRequest;

const CALLEES: Readonly<Record<string, Callee>> = {
  hotcast: {
    subject: subjectsOf(COOKIE).node(NODE, 'call'),
    payload: encode(request),
    isRight: answer => (answer as { readonly json?: unknown }).json === '3',
  },
  services: { subject: SERVICE, payload: encode(ARGUMENTS), isRight: answer => answer === 3 },
};

const nats = await connect({ servers: 'nats://127.0.0.1:4222', waitOnFirstConnect: true, maxReconnectAttempts: -1 });
const servers = Object.entries(CALLEES).map(([name, callee]) => {
  const child = fork(join(import.meta.dirname, 'server.mjs'), [name], { execArgv: FLAGS });
  child.once('exit', () => process.exit(1));
  return { name, callee, child, ready: once(child, 'message'), turns: [] as Turn[] };
});
for (const { ready } of servers) await ready;
const rounds = Number(process.argv[2]);
for (let round = -WARM_UP; round < rounds; round += 1) {
  for (const { callee, child, turns } of round % 2 === 0 ? servers : servers.toReversed()) {
    const turn = await turnOf(nats, callee, child);
    if (round >= 0) turns.push(turn);
  }
}
process.stdout.write(JSON.stringify(Object.fromEntries(servers.map(({ name, turns }) => [name, turns]))));
process.exit();

async function turnOf(connection: NatsConnection, callee: Callee, child: ChildProcess): Promise<Turn> {
  const before = await cpuOf(child);
  const startedAt = performance.now();
  const ms = await call(connection, callee);
  const seconds = (performance.now() - startedAt) / 1_000;
  const sorted = ms.toSorted((a, b) => a - b);
  return {
    perSecond: CALLS / seconds,
    cpuUs: ((await cpuOf(child)) - before) / CALLS,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? NaN,
  };
}

/** Makes all calls of a turn. @returns how long each took (milliseconds). @throws TypeError at an answer without the sum */
async function call(connection: NatsConnection, { subject, payload, isRight }: Callee): Promise<number[]> {
  // A node answers to the inboxes of some roles only.
  const inbox = inboxPrefix('controller');
  const sentAt: number[] = [];
  const ms: number[] = [];
  let sent = 0;
  const send = (place: number): void => {
    sentAt[place] = performance.now();
    sent += 1;
    connection.publish(subject, payload, { reply: `${inbox}.${place}` });
  };
  await new Promise<void>((resolve, reject) => {
    const subscription = connection.subscribe(`${inbox}.>`, {
      callback: (_, message) => {
        // A node answers below the place, under its name.
        const place = parseInt(message.subject.slice(inbox.length + 1), 10);
        ms.push(performance.now() - (sentAt[place] ?? NaN));
        if (!isRight(parseJson(message.data))) reject(new TypeError(`an answer without the sum: ${message.string()}`));
        if (sent < CALLS) return send(place);
        if (ms.length < CALLS) return;
        subscription.unsubscribe();
        resolve();
      },
    });
    for (let place = 0; place < AT_ONCE; place += 1) send(place);
  });
  return ms;
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('usage');
  const [{ cpuUs }] = (await once(child, 'message')) as [{ readonly cpuUs: number }];
  return cpuUs;
}
