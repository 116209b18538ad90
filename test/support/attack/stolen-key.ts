import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { nkeys } from '@nats-io/transport-node';
import { expect } from 'vitest';

import type { Head } from '../../../protocol/head.ts';
import { ANSWER_TO, type EventKind, subjectsOf } from '../../../protocol/subjects.ts';
import { NATS_SEED_FILE } from '../../../shared/nats/options.ts';
import { descriptionOf } from '../../unit/fixtures.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ProcessOutput } from '../shell.ts';

/** A message that is sent so many times (default: once), spread over some milliseconds (default: at once). */
export interface ForgedMessage {
  readonly subject: string;
  readonly payload: object;
  readonly times?: number;
  readonly overMs?: number;
}

/** `answer`: to the next bundle. */
interface Use {
  readonly messages: readonly ForgedMessage[];
  readonly answer?: { readonly subscribe: string; readonly node: string; readonly payload: object };
}

/** The head of a private key of Ed25519 in PKCS #8. */
const PKCS8 = '302e020100300506032b657004220420';

/**
 * Sends messages from the container of a node with its NATS key: NATS admits them as that node's. What NATS refuses fails.
 *
 * @throws Error with what NATS said.
 */
export async function speakAs(cluster: Cluster, node: string, messages: readonly ForgedMessage[]): Promise<void> {
  await useKey(await keyOf(cluster, node), { messages });
}

/** An event in which a node, from its container, says that a head's revision took it down. */
export function forgedBan(
  cookie: string,
  { module, sequence }: Pick<Head, 'module' | 'sequence'>,
  node: string,
  container: string,
  kind: EventKind = 'stalled',
): ForgedMessage {
  const detail = 'took this node to 900 MB of memory';
  const refusals = { [module]: { sequence, reason: 'banned', cause: 'memory', detail } };
  const payload = { ...descriptionOf(node, {}, container.slice(0, 12)), refusals };
  return { subject: subjectsOf(cookie).event(node, kind), payload };
}

/** Where the program says that it waits for a bundle. */
const WAITING = '/tmp/forger-waits';

/**
 * Answers the next bundle in the place of a node: its own process is stopped until NATS has this answer, so that it is the first.
 *
 * @returns when it waits for the bundle; `answered` resolves when it has answered.
 */
export async function answerBundleAs(
  cluster: Cluster,
  node: string,
  answer: object,
): Promise<{ readonly answered: Promise<void> }> {
  const subscribe = subjectsOf(cluster.cookie).bundles;
  const key = await keyOf(cluster, node);
  const answered = useKey(key, { messages: [], answer: { subscribe, node, payload: answer } });
  answered.catch(() => undefined);
  const isWaiting = async () => (await cluster.exec(node, ['test', '-e', WAITING])).exitCode;
  await expect.poll(isWaiting).toBe(0);
  return { answered };
}

/** Where a stolen key is used: in the container of the node whose key it is. */
export interface StolenKey {
  readonly seed: string;
  /** The full id of the container. */
  readonly container: string;
  /** The name of NATS's container. */
  readonly nats: string;
  /** Runs a program in the container. */
  readonly exec: (command: readonly string[]) => Promise<ProcessOutput>;
}

/**
 * Sends messages with a stolen key, or answers a bundle.
 *
 * @throws Error with what NATS said.
 */
export async function useKey({ seed, container, nats, exec }: StolenKey, what: Use): Promise<void> {
  const input = {
    host: nats,
    name: `hotcast-node ${container.slice(0, 12)}`,
    nkey: nkeys.fromSeed(Buffer.from(seed)).getPublicKey(),
    pkcs8: PKCS8 + rawSeedOf(seed).toString('hex'),
    waiting: WAITING,
    header: ANSWER_TO,
    ...what,
  };
  const { exitCode, stdout, stderr } = await exec(['node', '-e', PROGRAM, JSON.stringify(input)]);
  if (exitCode !== 0) throw new Error(`${stdout}${stderr}`);
}

async function keyOf(cluster: Cluster, node: string): Promise<StolenKey> {
  const seed = readFileSync(join(cluster.keys.folder('node'), cluster.cookie, NATS_SEED_FILE), 'utf8').trim();
  const { id: container } = await cluster.container(node);
  return { seed, container, nats: `${cluster.id}-nats`, exec: command => cluster.exec(node, command) };
}

/** The 32 bytes of an encoded seed: base 32, behind a prefix of two bytes, before a checksum of two. */
function rawSeedOf(text: string): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = Array.from(text, each => alphabet.indexOf(each).toString(2).padStart(5, '0')).join('');
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map(each => Number.parseInt(each, 2))).subarray(2, 34);
}

/** A NATS client of its own: the node's container has no other. */
const PROGRAM = `
const { connect } = require('node:net');
const { createPrivateKey, sign } = require('node:crypto');
const fs = require('node:fs');
const { host, name, nkey, pkcs8, messages, answer, waiting, header } = JSON.parse(process.argv[1]);
const key = createPrivateKey({ key: Buffer.from(pkcs8, 'hex'), format: 'der', type: 'pkcs8' });
const socket = connect(4222, host);
const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
let text = '';
const seen = pattern => new Promise(resolve => {
  const look = () => { const found = pattern.exec(text); if (found) { text = text.slice(found.index + found[0].length); resolve(found); } else socket.once('data', look); };
  look();
});
socket.setEncoding('utf8').on('data', part => {
  text += part;
  const refused = /-ERR.*/.exec(text);
  if (refused) { console.log(refused[0]); process.exit(1); }
});
const write = data => socket.write(data) || new Promise(resolve => socket.once('drain', resolve));
const isNode = pid => { try { return /^node\\0.*node\\.mjs/.test(fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8')); } catch { return false; } };
const answerOnce = async ({ subscribe, node, payload }) => {
  const pid = Number(fs.readdirSync('/proc').find(isNode));
  write('SUB ' + subscribe + ' 1\\r\\nPING\\r\\n');
  await seen(/PONG/);
  process.kill(pid, 'SIGSTOP');
  fs.writeFileSync(waiting, '');
  const [, inbox] = await seen(new RegExp(header + ': *(\\\\S+)\\\\r', 'i'));
  const body = JSON.stringify(payload);
  write('PUB ' + inbox + '.' + node + ' ' + Buffer.byteLength(body) + '\\r\\n' + body + '\\r\\nPING\\r\\n');
  await seen(/PONG/);
  fs.rmSync(waiting);
  process.kill(pid, 'SIGCONT');
};
(async () => {
  const [, info] = await seen(/INFO (.*)\\r\\n/);
  const sig = sign(null, Buffer.from(JSON.parse(info).nonce), key).toString('base64url');
  write('CONNECT ' + JSON.stringify({ nkey, sig, name, verbose: false, pedantic: false, lang: 'x', version: '1', headers: true }) + '\\r\\nPING\\r\\n');
  await seen(/PONG/);
  for (const { subject, payload, times = 1, overMs = 0 } of messages) {
    const body = JSON.stringify(payload);
    const line = 'PUB ' + subject + ' ' + Buffer.byteLength(body) + '\\r\\n' + body + '\\r\\n';
    const startedAt = Date.now();
    for (let sent = 0; sent < times; ) {
      const due = overMs === 0 ? times : Math.min(times, Math.ceil(times * (Date.now() - startedAt + 10) / overMs));
      if (due > sent) await write(line.repeat(due - sent));
      sent = Math.max(sent, due);
      if (sent < times) await pause(10);
    }
  }
  if (answer) await answerOnce(answer);
  write('PING\\r\\n');
  await seen(/PONG/);
  process.exit(0);
})();
`;
