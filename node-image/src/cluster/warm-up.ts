import { type Bundle, encodeBundle, packMap } from '../../../protocol/bundle.ts';
import { encode, encodeRecord } from '../../../protocol/codec.ts';
import type { Head } from '../../../protocol/head.ts';
import { revisionOf } from '../../../protocol/revision.ts';
import { signEnvelope } from '../../../protocol/signing/envelope.ts';
import { makeSigningKey, readSigningKey, readTrustedKey, trustedKeyFile } from '../../../protocol/signing/keys.ts';
import { KeyTrust } from '../../../protocol/signing/key-trust.ts';
import { signPush } from '../../../protocol/signing/push-signature.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { Verifier } from '../admission/verifier.ts';
import { CodeServer } from '../modules/code-server.ts';
import type { LoadResult } from '../modules/load-result.ts';
import { createReconciler } from './reconciler.ts';

const MODULE = 'warm-up';
const NODE = 'warm-up';

/** Pushes: the second one replaces a version, and after these V8 has compiled what they need, and knows the types in it. */
const PUSHES = 10;

const nothing = (): void => undefined;
const silent = { info: nothing, warn: nothing, error: nothing };

/**
 * Pushes a small module to a code server of its own, which ends with it. V8 and OpenSSL prepare much when it is needed for the first
 * time: without this, the first push of a process takes more than twice the processor time. Nobody else has its key, and nothing of it
 * is seen outside. Returns the result of the last push.
 */
export async function warmUp(): Promise<LoadResult | null> {
  const subjects = subjectsOf(MODULE);
  const key = readSigningKey(makeSigningKey());
  const { publicKey } = readTrustedKey(Buffer.from(trustedKeyFile(key, null)));
  const earlier = { get: (id: string) => (id === key.id ? publicKey : undefined) };
  const trust = new KeyTrust({ roots: { get: () => undefined }, subject: subjects.keys, earlier });
  const verifier = new Verifier(trust, subjects, nothing);
  const codeServer = new CodeServer(silent);
  const records = { heads: async () => [], bundle: async () => null };
  using reconciler = createReconciler(NODE, codeServer, records, silent);
  let result: LoadResult | null = null;
  for (let sequence = 1; sequence <= PUSHES; sequence += 1) {
    const bundle = bundleOf(sequence);
    const bundleSubject = subjects.bundle(MODULE, bundle.revision);
    const signed = signEnvelope(key, bundleSubject, encodeBundle(bundle));
    const head = signEnvelope(key, subjects.head(MODULE), encodeRecord(headOf(bundle.revision, sequence)));
    codeServer.prepare(verifier.bundle(bundleSubject, signed, signPush(key, bundleSubject, signed, head)));
    result = await reconciler.apply([verifier.head(null, head)]);
    encode({ ...result, node: NODE, modules: codeServer.describe() });
  }
  await codeServer.stop(0);
  return result;
}

function bundleOf(version: number): Bundle {
  const code = `"use strict"; exports.version = () => ${version}; setTimeout(() => {}, 1).unref();`;
  const label = { module: MODULE, file: `modules/${MODULE}.ts`, exports: ['version'], live: [], memoryBytes: 0 };
  return { ...label, revision: revisionOf(code), code, map: packMap('{}') };
}

function headOf(revision: string, sequence: number): Head {
  const manifest = { exports: ['version'], imports: {}, sources: {} };
  const what = { module: MODULE, revision, manifest, canary: null, sequence, stateSince: 0, keptOff: [] };
  const how = { force: false, makeRoom: false, revertOf: null, cause: null, quarantine: false, repeats: false };
  return { ...what, ...how, push: `${sequence}`, author: NODE, at: 0, note: 'push' };
}
