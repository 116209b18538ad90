import { once } from 'node:events';

import * as fc from 'fast-check';

import { Verifier } from '../../node-image/src/admission/verifier.ts';
import { type Bundle, packMap } from '../../protocol/bundle.ts';
import { splitFrames } from '../../protocol/bytes/framing.ts';
import type { Head } from '../../protocol/head.ts';
import { makeSigningKey, readSigningKey, trustedKeyFile } from '../../protocol/signing/keys.ts';
import type { NodeDescription } from '../../protocol/messages.ts';
import { isModuleName } from '../../protocol/names.ts';
import { revisionOf } from '../../protocol/revision.ts';
import { PROTOCOL } from '../../protocol/version.ts';
import { signEnvelope, type TrustedKeys } from '../../protocol/signing/envelope.ts';
import { signPush } from '../../protocol/signing/push-signature.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import { KeyTrust } from '../../protocol/signing/key-trust.ts';
import { trustedKeyFiles } from '../../protocol/signing/trusted-keys.ts';

/** A bundle of CommonJS code, as the controller compiles it. */
export function bundleOf(module: string, code: string): Bundle {
  return {
    module,
    revision: revisionOf(code),
    file: `modules/${module}.ts`,
    exports: [],
    live: [],
    memoryBytes: 0,
    code,
    map: packMap('{}'),
  };
}

/** The head of a push of one module. */
export function headOf(module: string, revision: string | null, sequence: number): Head {
  const at = 1_700_000_000_000;
  return {
    module,
    revision,
    canary: null,
    force: false,
    makeRoom: false,
    manifest: null,
    revertOf: null,
    cause: null,
    keptOff: [],
    quarantine: false,
    repeats: false,
    sequence,
    stateSince: 0,
    push: `push ${sequence}`,
    author: 'wilma',
    at,
    note: 'push',
  };
}

/** The state of a module in a node's description: it runs, and nothing was called. */
export function moduleStateOf(revision: string, sequence: number): NodeDescription['modules'][string] {
  return { revision, sequence, calls: 0, errors: 0, inFlight: 0 };
}

/** The description of a node with these modules. */
export function descriptionOf(
  node: string,
  modules: NodeDescription['modules'] = {},
  container = 'c1',
): NodeDescription {
  return {
    node,
    protocol: PROTOCOL,
    container,
    pid: 7,
    startedAt: 0,
    uptimeSeconds: 61,
    memoryBytes: 1,
    modules,
    draining: [],
    refusals: {},
    loopDelay: 0,
    rejected: 0,
  };
}

const KEY = readSigningKey(makeSigningKey());

/** Signs a payload for a subject with the key of these tests. */
export function signed(subject: string, payload: Uint8Array): Uint8Array {
  return signEnvelope(KEY, subject, payload);
}

/** Signs a push with the key of these tests: the envelopes of its bundle and of its head. */
export function signedPush(subject: string, bundle: Uint8Array, head: Uint8Array): string {
  return signPush(KEY, subject, bundle, head);
}

/** A verifier that trusts the key of these tests. */
export function verifierOf(subjects: Subjects): Verifier {
  const earlier = trustedKeyFiles(() => [trustedKeyFile(KEY, null)]);
  return new Verifier(trustOf(earlier, subjects), subjects, () => undefined);
}

/** Trusts keys, and knows no root key. */
export function trustOf(earlier: TrustedKeys, subjects: Pick<Subjects, 'keys'>): KeyTrust {
  return new KeyTrust({ roots: { get: () => undefined }, subject: subjects.keys, earlier });
}

/** The heads in a commit message. */
export function headsIn(subjects: Subjects, bytes: Uint8Array): Head[] {
  const verifier = verifierOf(subjects);
  return splitFrames(bytes).map(frame => verifier.head(null, frame));
}

/** A recorded log line. */
export interface Logged {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A logger that records its lines. */
export function recordingLog() {
  const logged: Logged[] = [];
  const to = (level: Logged['level']) => (fields: object, message: string) =>
    void logged.push({ level, fields, message });
  return { logged, debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') };
}

/** Generators for property tests: valid names, and any text. */
export const moduleNames = fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/).filter(isModuleName);
export const nodeNames = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
export const cookies = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
export const texts = fc.string({ unit: fc.nat(0x10ffff).map(point => String.fromCodePoint(point)) });
export const revisions = fc.stringMatching(/^[0-9a-f]{64}$/);

/** A promise and the function that resolves it. */
export function latch(): { readonly opened: Promise<void>; readonly open: () => void } {
  const done = new AbortController();
  const opened = once(done.signal, 'abort').then(() => undefined);
  return { opened, open: () => done.abort() };
}
