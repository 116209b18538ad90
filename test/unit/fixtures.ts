import { once } from 'node:events';

import * as fc from 'fast-check';

import { Verifier } from '../../node-image/src/admission/verifier.ts';
import { type Bundle, packMap } from '../../protocol/bundle.ts';
import { splitFrames } from '../../protocol/framing.ts';
import type { Head } from '../../protocol/head.ts';
import { makeSigningKey, readSigningKey, trustedKeyFile } from '../../protocol/signing/keys.ts';
import type { NodeDescription } from '../../protocol/messages.ts';
import { isModuleName } from '../../protocol/names.ts';
import { revisionOf } from '../../protocol/revision.ts';
import { signEnvelope } from '../../protocol/signing/envelope.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import { TrustedKeyFiles } from '../../protocol/signing/trusted-keys.ts';

/** A bundle as the controller's compiler writes it, of CommonJS text. */
export function bundleOf(module: string, code: string): Bundle {
  return { module, revision: revisionOf(code), file: `modules/${module}.ts`, exports: [], code, map: packMap('{}') };
}

/** The head of a push of one module. */
export function headOf(module: string, revision: string | null, sequence: number): Head {
  const at = 1_700_000_000_000;
  return {
    module,
    revision,
    canary: null,
    force: false,
    revertOf: null,
    sequence,
    push: `push ${sequence}`,
    author: 'wilma',
    at,
    note: 'push',
  };
}

/** What a node says of a module that runs on it, and nothing else is known of. */
export function moduleStateOf(revision: string, sequence: number): NodeDescription['modules'][string] {
  return { revision, sequence, calls: 0, errors: 0, inFlight: 0, old: null };
}

/** What a node with these modules says of itself. */
export function descriptionOf(
  node: string,
  modules: NodeDescription['modules'] = {},
  container = 'c1',
): NodeDescription {
  return {
    node,
    container,
    pid: 7,
    startedAt: 0,
    uptimeSeconds: 61,
    memoryBytes: 1,
    modules,
    refusals: {},
    loopDelay: 0,
    rejected: 0,
  };
}

const KEY = readSigningKey(makeSigningKey());

/** What the tests' own controller has sealed for a subject. */
export function sealed(subject: string, payload: Uint8Array): Uint8Array {
  return signEnvelope(KEY, subject, payload);
}

/** Lets in what the tests' own controller has sealed. */
export function verifierOf(subjects: Subjects): Verifier {
  return new Verifier(new TrustedKeyFiles(() => [trustedKeyFile(KEY, null)]), subjects, () => undefined);
}

/** The heads that a commit tells of. */
export function headsIn(subjects: Subjects, bytes: Uint8Array): Head[] {
  const ours = verifierOf(subjects);
  return splitFrames(bytes).map(frame => ours.head(null, frame));
}

/** A line that was logged. */
export interface Logged {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A logger that keeps what it is told. */
export function recordingLog() {
  const logged: Logged[] = [];
  const to = (level: Logged['level']) => (fields: object, message: string) =>
    void logged.push({ level, fields, message });
  return { logged, debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') };
}

/** Names that are valid, and any text at all, for properties. */
export const moduleNames = fc.stringMatching(/^[a-z][a-z0-9-]{0,62}$/).filter(isModuleName);
export const nodeNames = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
export const cookies = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
export const texts = fc.string({ unit: fc.nat(0x10ffff).map(point => String.fromCodePoint(point)) });
export const revisions = fc.stringMatching(/^[0-9a-f]{64}$/);

/** Something to await, and the way to let it go on. */
export function latch(): { readonly opened: Promise<void>; readonly open: () => void } {
  const done = new AbortController();
  const opened = once(done.signal, 'abort').then(() => undefined);
  return { opened, open: () => done.abort() };
}
