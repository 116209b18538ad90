import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { nkeys } from '@nats-io/transport-node';

import { NATS_SEED_FILE } from '../../../shared/nats/options.ts';
import type { Cluster } from '../cluster/cluster.ts';

/** A message that is sent so many times (default: once), spread over some milliseconds (default: at once). */
export interface ForgedMessage {
  readonly subject: string;
  readonly payload: object;
  readonly times?: number;
  readonly overMs?: number;
}

/** The head of a private key of Ed25519 in PKCS #8. */
const PKCS8 = '302e020100300506032b657004220420';

/**
 * Sends messages from the container of a node with its NATS key: NATS admits them as that node's. What NATS refuses fails.
 *
 * @throws Error with what NATS said.
 */
export async function speakAs(cluster: Cluster, node: string, messages: readonly ForgedMessage[]): Promise<void> {
  const seed = readFileSync(join(cluster.keys.folder('node'), cluster.cookie, NATS_SEED_FILE), 'utf8').trim();
  const { id } = await cluster.container(node);
  const input = {
    host: `${cluster.id}-nats`,
    name: `hotcast-node ${id.slice(0, 12)}`,
    nkey: nkeys.fromSeed(Buffer.from(seed)).getPublicKey(),
    pkcs8: PKCS8 + rawSeedOf(seed).toString('hex'),
    messages,
  };
  const { exitCode, stdout, stderr } = await cluster.exec(node, ['node', '-e', PROGRAM, JSON.stringify(input)]);
  if (exitCode !== 0) throw new Error(`${stdout}${stderr}`);
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
const { host, name, nkey, pkcs8, messages } = JSON.parse(process.argv[1]);
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
(async () => {
  const [, info] = await seen(/INFO (.*)\\r\\n/);
  const sig = sign(null, Buffer.from(JSON.parse(info).nonce), key).toString('base64url');
  write('CONNECT ' + JSON.stringify({ nkey, sig, name, verbose: false, pedantic: false, lang: 'x', version: '1' }) + '\\r\\nPING\\r\\n');
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
  write('PING\\r\\n');
  await seen(/PONG/);
  process.exit(0);
})();
`;
