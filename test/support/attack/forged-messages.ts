import { gzipSync } from 'node:zlib';

import { type Bundle, encodeBundle } from '../../../protocol/bundle.ts';
import { encode } from '../../../protocol/codec.ts';
import { makeSigningKey, readSigningKey } from '../../../protocol/signing/keys.ts';
import { MAX_UNPACKED_BYTES } from '../../../protocol/limits.ts';
import { encodeLoadCommand } from '../../../protocol/load-command.ts';
import { signEnvelope, signerOf } from '../../../protocol/signing/envelope.ts';
import { signPush } from '../../../protocol/signing/push-signature.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { bundleOf, headOf } from '../../unit/fixtures.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { CapturedMessages } from './captured-messages.ts';

/** The first bytes of a bundle that has no source map. */
const NO_MAP = Buffer.alloc(4);

/** A bundle that ends after its manifest. */
function manifestOnly(manifest: string): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(manifest.length);
  return Buffer.concat([length, Buffer.from(manifest)]);
}

/** Signs a payload for a subject. */
type Signer = (subject: string, payload: Uint8Array) => Uint8Array;

/** Messages that an attacker can make. For the tests of limits, also some that only the cluster's own key can sign. */
export type ForgedMessages = ReturnType<typeof forgeMessages>;

export function forgeMessages(cluster: Cluster, captured: CapturedMessages) {
  const subjects = subjectsOf(cluster.cookie);
  const attackerKey = readSigningKey(makeSigningKey());
  const clusterKeyId = signerOf(captured.bundle) ?? '';
  const signByAttacker: Signer = (subject, payload) => signEnvelope(attackerKey, subject, payload);
  const signPushByAttacker = (subject: string, bundle: Uint8Array, id = attackerKey.id): string =>
    signPush({ ...attackerKey, id }, subject, bundle, attackerHead);
  const signByCluster: Signer = (subject, payload) => cluster.keys.keyring(cluster.cookie).sign(subject, payload);
  const attackBundle: Bundle = bundleOf('safe', "exports.version = () => 'bad';");
  const attackBundleBytes = encodeBundle(attackBundle);
  const bundleSubject = subjects.bundle('safe', attackBundle.revision);
  const headSubject = subjects.head('safe');
  const now = Date.now();
  const head = { ...headOf('safe', attackBundle.revision, now), at: now };
  const attackerHead = signByAttacker(headSubject, encode(head));
  return {
    captured,
    signByAttacker,
    signByCluster,
    signPushByAttacker,
    clusterKeyId,
    /** A head of the attacker's code, in an envelope with the id of the cluster's key. */
    impersonatedHead: signEnvelope({ ...attackerKey, id: clusterKeyId }, headSubject, encode(head)),
    attackBundle,
    attackBundleBytes,
    bundleSubject,
    attackerSigned: signByAttacker(bundleSubject, attackBundleBytes),
    /** Signed with the attacker's key, under the id of the cluster's key. */
    impersonated: signEnvelope({ ...attackerKey, id: clusterKeyId }, bundleSubject, attackBundleBytes),
    /** The captured envelope, with the attacker's code as its payload. */
    transplanted: Buffer.concat([
      captured.bundle.subarray(0, captured.bundle.length - attackBundleBytes.length),
      attackBundleBytes,
    ]),
    wrongRevision: encodeBundle({ ...attackBundle, code: `${attackBundle.code} ` }),
    headSubject,
    unsignedHead: encode(head),
    headOfOtherModule: encode({ ...head, module: 'other' }),
    loadSubject: subjects.node('fred', 'load'),
    loadCommand: encodeLoadCommand({ processId: '', id: 'attack', packed: attackBundleBytes }),
    otherCookieSubject: subjectsOf(`${cluster.cookie}-2`).bundle('safe', attackBundle.revision),
    nestedJson: Buffer.concat([
      NO_MAP,
      gzipSync(manifestOnly(`{"module":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`)),
    ]),
    gzipBomb: Buffer.concat([NO_MAP, gzipSync(Buffer.alloc(8 * MAX_UNPACKED_BYTES))]),
    manyModules: JSON.stringify({
      modules: Array.from({ length: 5_000 }, (_, index) => ({ module: `m${index}`, revision: attackBundle.revision })),
    }),
    noise: (bytes: number): Uint8Array => Buffer.alloc(bytes, 'noise'),
    /** A copy with some bits of one byte flipped. */
    flipBits: (bytes: Uint8Array, at: number, bits = 0x01): Uint8Array => {
      const copy = Uint8Array.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ bits;
      return copy;
    },
  };
}
