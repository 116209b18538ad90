import { gzipSync } from 'node:zlib';

import { type Bundle, encodeBundle } from '../../protocol/bundle.ts';
import { encode } from '../../protocol/codec.ts';
import { makeSigningKey, readSigningKey } from '../../protocol/signing/keys.ts';
import { MAX_UNPACKED_BYTES } from '../../protocol/limits.ts';
import { encodeLoadCommand } from '../../protocol/load-command.ts';
import { signEnvelope, signerOf } from '../../protocol/signing/envelope.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { bundleOf, headOf } from '../unit/fixtures.ts';
import type { Cluster } from './cluster.ts';
import type { Loot } from './loot.ts';

/** How a bundle without a source map begins. */
const NO_MAP = Buffer.alloc(4);

/** What a bundle's label is followed by: nothing. */
function labelled(label: string): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(label.length);
  return Buffer.concat([length, Buffer.from(label)]);
}

/** Seals a payload for a subject. */
type Sealer = (subject: string, payload: Uint8Array) => Uint8Array;

/** What an attacker can make, and for the tests of limits what only the cluster's own key can. */
export type Arms = ReturnType<typeof armsFrom>;

export function armsFrom(cluster: Cluster, loot: Loot) {
  const subjects = subjectsOf(cluster.cookie);
  const attackersKey = readSigningKey(makeSigningKey());
  const ourKeyId = signerOf(loot.bundle) ?? '';
  const theirs: Sealer = (subject, payload) => signEnvelope(attackersKey, subject, payload);
  const ours: Sealer = (subject, payload) => cluster.keys.keyring(cluster.cookie).sign(subject, payload);
  const bad: Bundle = bundleOf('safe', "exports.version = () => 'bad';");
  const badPacked = encodeBundle(bad);
  const badSubject = subjects.bundle('safe', bad.revision);
  const headSubject = subjects.head('safe');
  const now = Date.now();
  const wanted = { ...headOf('safe', bad.revision, now), at: now };
  return {
    loot,
    theirs,
    ours,
    bad,
    badPacked,
    badSubject,
    badSealed: theirs(badSubject, badPacked),
    /** The attacker's signature, with the name of the cluster's key. */
    posing: signEnvelope({ ...attackersKey, id: ourKeyId }, badSubject, badPacked),
    /** The seal of what was loaded before, with the attacker's code behind it. */
    grafted: Buffer.concat([loot.bundle.subarray(0, loot.bundle.length - badPacked.length), badPacked]),
    mislabelled: encodeBundle({ ...bad, code: `${bad.code} ` }),
    headSubject,
    badHead: encode(wanted),
    future: encode({ ...wanted, sequence: now + 3_600_000 }),
    otherHead: encode({ ...wanted, module: 'other' }),
    toFred: subjects.node('fred', 'load'),
    badOrder: encodeLoadCommand({ at: now + 60_000, packed: badPacked }),
    strange: subjectsOf(`${cluster.cookie}-2`).bundle('safe', bad.revision),
    nested: Buffer.concat([NO_MAP, gzipSync(labelled(`{"module":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`))]),
    bomb: Buffer.concat([NO_MAP, gzipSync(Buffer.alloc(8 * MAX_UNPACKED_BYTES))]),
    manyModules: JSON.stringify({
      modules: Array.from({ length: 5_000 }, (_, index) => ({ module: `m${index}`, revision: bad.revision })),
    }),
    noise: (bytes: number): Uint8Array => Buffer.alloc(bytes, 'noise'),
    /** Some bits of one byte flipped. */
    changed: (bytes: Uint8Array, at: number, bits = 0x01): Uint8Array => {
      const copy = Uint8Array.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ bits;
      return copy;
    },
  };
}
