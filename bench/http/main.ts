import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { FLAGS } from '../runtime/flags.ts';
import { load } from './load.ts';
import { type Case, CASES, exchangesOf } from './requests.ts';

/** One turn of a server: a number of requests. */
export interface Turn {
  readonly perSecond: number;
  /** Processor time of the server for each request (microseconds). */
  readonly cpuUs: number;
  /** The 99th percentile of its answers (milliseconds). */
  readonly p99: number;
}

/** The turns of one server, in the order of the rounds: the same index is the same round. */
export interface Turns {
  readonly case: string;
  readonly server: string;
  readonly turns: readonly Turn[];
}

export interface Measured {
  readonly turns: readonly Turns[];
  /** The resident memory of each server after its last turn (bytes). */
  readonly rss: Readonly<Record<string, number>>;
}

/** Turns before those that count: what is hot is compiled by then. */
const WARM_UP = 1;

/** The kinds of a server: what it takes part in. */
const KINDS: Readonly<Record<string, readonly Case['kind'][]>> = {
  hotcast: ['hono', 'plain', 'websocket'],
  'node-server': ['hono'],
  srvx: ['hono'],
  'node:http': ['plain'],
  ws: ['websocket'],
};

/** The prefixes of paths on a node. */
const PREFIXES = { hono: '/web', plain: '/plain', websocket: '/plain' };

type Running = Awaited<ReturnType<typeof start>>;

/** @param name of the server, and after `=` a file for it: `hotcast=hotcast.mjs`. */
async function start(name: string) {
  const [title = '', file] = name.split('=');
  const kind = title.startsWith('hotcast') ? 'hotcast' : title;
  const args = [kind, ...(file === undefined ? [] : [join(import.meta.dirname, file)])];
  const child = fork(join(import.meta.dirname, 'server.mjs'), args, { execArgv: FLAGS });
  // What it has printed says why.
  child.once('exit', () => process.exit(1));
  const { port } = await answerOf<{ port: number }>(child);
  const usage = async () => {
    child.send('usage');
    return answerOf<{ readonly cpuUs: number; readonly rss: number }>(child);
  };
  return { title, kind, port, usage, stop: () => child.removeAllListeners('exit').disconnect() };
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  const [answer] = (await once(child, 'message')) as [T];
  return answer;
}

async function turn(server: Running, each: Case, requests: number): Promise<Turn> {
  const exchanges = exchangesOf(each, server.kind === 'hotcast' ? PREFIXES[each.kind] : '');
  const before = await server.usage();
  const { seconds, ms } = await load(server.port, exchanges, each.connections, requests);
  const after = await server.usage();
  const sorted = ms.toSorted((a, b) => a - b);
  return {
    perSecond: requests / seconds,
    cpuUs: (after.cpuUs - before.cpuUs) / requests,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? NaN,
  };
}

/** Lets all servers of a case take turns: each round begins with another one. */
async function measure(each: Case, servers: readonly Running[], rounds: number): Promise<Turns[]> {
  const found = servers.map(server => ({ case: each.name, server: server.title, turns: [] as Turn[] }));
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (let place = 0; place < servers.length; place += 1) {
      const index = (place + round + WARM_UP) % servers.length;
      const server = servers[index];
      if (server === undefined) continue;
      const result = await turn(server, each, each.thousands * 1_000);
      if (round >= 0) found[index]?.turns.push(result);
    }
  }
  return found;
}

const [rounds = '9', ...names] = process.argv.slice(2);
const servers: Running[] = [];
for (const name of names) servers.push(await start(name));
const turns: Turns[] = [];
for (const each of CASES) {
  process.stderr.write(`${each.name}\n`);
  const taking = servers.filter(({ kind }) => KINDS[kind]?.includes(each.kind));
  turns.push(...(await measure(each, taking, Number(rounds))));
}
const rss: Record<string, number> = {};
for (const server of servers) rss[server.title] = (await server.usage()).rss;
process.stdout.write(JSON.stringify({ turns, rss } satisfies Measured));
for (const server of servers) server.stop();
process.exit();
