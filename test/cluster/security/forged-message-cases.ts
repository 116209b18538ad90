import { encodeBundle } from '../../../protocol/bundle.ts';
import { joinFrames } from '../../../protocol/bytes/framing.ts';
import { MAX_MODULES, MAX_REQUEST_BYTES } from '../../../protocol/limits.ts';
import type { ForgedMessages } from '../../support/attack/forged-messages.ts';

type Payload = (forged: ForgedMessages) => Uint8Array | string;
/** A message, and the answer of every node that gets it. */
export type Case = readonly [title: string, payload: Payload, answer: RegExp];

/** Messages on the subject of the attacker's bundle. */
export const bundleCases: readonly Case[] = [
  ['that is not signed', ({ attackBundle }) => encodeBundle(attackBundle), /unsigned/],
  ['that is empty', () => '', /unsigned/],
  ['of 7 MiB of noise', ({ noise }) => noise(7 * 1024 * 1024), /unsigned/],
  ['with half an envelope', ({ attackerSigned }) => attackerSigned.subarray(0, 40), /unsigned/],
  ['with another version of the envelope', ({ attackerSigned, flipBits }) => flipBits(attackerSigned, 2), /unsigned/],
  [
    'whose subject is longer than the message',
    ({ attackerSigned, flipBits }) => flipBits(attackerSigned, 75, 0x80),
    /unsigned/,
  ],
  ["signed with the attacker's key", ({ attackerSigned }) => attackerSigned, /unknown key/],
  [
    "signed with the attacker's key under the id of the cluster's key",
    ({ impersonated }) => impersonated,
    /bad signature/,
  ],
  ["with the cluster's signature and other code", ({ transplanted }) => transplanted, /wrong subject|bad signature/],
  ["of another revision, signed with the cluster's key", ({ captured: { bundle } }) => bundle, /wrong subject/],
  ["that is a head, signed with the cluster's key", ({ captured: { head } }) => head, /wrong subject/],
  [
    "for another cookie, signed with this cluster's key",
    ({ signByCluster, otherCookieSubject, attackBundle }) =>
      signByCluster(otherCookieSubject, encodeBundle(attackBundle)),
    /wrong subject/,
  ],
  [
    "that is a gzip bomb, signed with the attacker's key",
    ({ signByAttacker, bundleSubject, gzipBomb }) => signByAttacker(bundleSubject, gzipBomb),
    /unknown key/,
  ],
  // Only a faulty controller would sign these.
  [
    "that is a gzip bomb, signed with the cluster's key",
    ({ signByCluster, bundleSubject, gzipBomb }) => signByCluster(bundleSubject, gzipBomb),
    /does not unpack within/,
  ],
  [
    "that is not gzip, signed with the cluster's key",
    ({ signByCluster, bundleSubject }) => signByCluster(bundleSubject, Buffer.from('{}')),
    /does not unpack/,
  ],
  [
    "whose code has another revision, signed with the cluster's key",
    ({ signByCluster, bundleSubject, wrongRevision }) => signByCluster(bundleSubject, wrongRevision),
    /the bundle is revision/,
  ],
  [
    "of deeply nested JSON, signed with the cluster's key",
    ({ signByCluster, bundleSubject, nestedJson }) => signByCluster(bundleSubject, nestedJson),
    /malformed/,
  ],
];

/** Messages on the subject of the running bundle. */
export const changedBundleCases: readonly Case[] = [
  [
    'with a byte of the signature changed',
    ({ captured: { bundle }, flipBits }) => flipBits(bundle, 20),
    /bad signature/,
  ],
  ['with a byte of the subject changed', ({ captured: { bundle }, flipBits }) => flipBits(bundle, 90), /wrong subject/],
  ["with a byte of the key's id changed", ({ captured: { bundle }, flipBits }) => flipBits(bundle, 5), /unknown key/],
  [
    'with its last byte changed',
    ({ captured: { bundle }, flipBits }) => flipBits(bundle, bundle.length - 1),
    /bad signature/,
  ],
  ['without its last byte', ({ captured: { bundle } }) => bundle.subarray(0, -1), /bad signature/],
  ['with one more byte', ({ captured: { bundle } }) => Buffer.concat([bundle, Buffer.of(0)]), /bad signature/],
];

/** A bundle under a subject with the signature of a push, and the answer of every node that gets it. */
export type PushCase = readonly [
  title: string,
  message: (forged: ForgedMessages) => {
    readonly subject?: string;
    readonly bundle: Uint8Array;
    readonly push: string;
  },
  answer: RegExp,
];

/** Base64 with some bits of one byte changed. */
const flipped = (base64: string, at: number, bits = 1): string => {
  const bytes = Buffer.from(base64, 'base64');
  bytes[at] = (bytes[at] ?? 0) ^ bits;
  return bytes.toString('base64');
};

/** Bundles with the signature of a push; without a subject, on that of the running bundle. */
export const pushCases: readonly PushCase[] = [
  [
    "of the attacker's code, with the signature of the last push",
    ({ bundleSubject, impersonated, captured: { push } }) => ({ subject: bundleSubject, bundle: impersonated, push }),
    /bad signature/,
  ],
  [
    "of the attacker's code, which the attacker has signed",
    ({ bundleSubject, attackerSigned, signPushByAttacker }) => ({
      subject: bundleSubject,
      bundle: attackerSigned,
      push: signPushByAttacker(bundleSubject, attackerSigned),
    }),
    /unknown key/,
  ],
  [
    "of the attacker's code, which the attacker has signed under the id of the cluster's key",
    ({ bundleSubject, impersonated, signPushByAttacker, clusterKeyId }) => ({
      subject: bundleSubject,
      bundle: impersonated,
      push: signPushByAttacker(bundleSubject, impersonated, clusterKeyId),
    }),
    /bad signature/,
  ],
  [
    'of the running code, with the hash of another head',
    ({ captured: { bundle, push } }) => ({ bundle, push: flipped(push, 100) }),
    /bad signature/,
  ],
  [
    "of the running code, whose head the attacker chose and signed under the id of the cluster's key",
    ({ captured: { module, revision, bundle }, bundleSubject, signPushByAttacker, clusterKeyId }) => {
      const subject = bundleSubject.replace(/[^.]+\.[^.]+$/, `${module}.${revision}`);
      return { bundle, push: signPushByAttacker(subject, bundle, clusterKeyId) };
    },
    /bad signature/,
  ],
  [
    'of the running code with a changed byte, with the signature of its push',
    ({ captured: { bundle, push }, flipBits }) => ({ bundle: flipBits(bundle, bundle.length - 1), push }),
    /bad signature/,
  ],
  [
    'of the running code, with half of a signature',
    ({ captured: { bundle, push } }) => ({ bundle, push: push.slice(0, 72) }),
    /unsigned/,
  ],
  [
    'of the running code, with the signature of its envelope in place of that of the push',
    ({ captured: { bundle } }) => {
      const push = Buffer.concat([bundle.subarray(3, 75), Buffer.alloc(32)]).toString('base64');
      return { bundle, push };
    },
    /bad signature/,
  ],
];

/** What a node answers to a commit when it has prepared a push again whose head is known: nothing but that head passes. */
export const commitAfterPushCases: readonly Case[] = [
  [
    "of a head that the attacker made under the id of the cluster's key",
    ({ impersonatedHead }) => joinFrames([impersonatedHead]),
    /bad signature/,
  ],
  [
    'of that head with a changed byte',
    ({ captured: { head }, flipBits }) => joinFrames([flipBits(head, head.length - 3)]),
    /bad signature/,
  ],
  [
    'of that head without its last byte',
    ({ captured: { head } }) => joinFrames([head.subarray(0, -1)]),
    /bad signature/,
  ],
  ['of the head before it', ({ captured: { oldHead } }) => joinFrames([oldHead]), /outdated/],
  ['of the hash of that head', ({ captured: { push } }) => joinFrames([Buffer.from(push, 'base64')]), /unsigned/],
];

/** Commit messages. */
export const commitCases: readonly Case[] = [
  ['of a head that is not signed', ({ unsignedHead }) => joinFrames([unsignedHead]), /unsigned/],
  [
    "of a head that is signed with the attacker's key",
    ({ signByAttacker, headSubject, unsignedHead }) => joinFrames([signByAttacker(headSubject, unsignedHead)]),
    /unknown key/,
  ],
  [
    'of a changed head',
    ({ captured: { head }, flipBits }) => joinFrames([flipBits(head, head.length - 3)]),
    /bad signature/,
  ],
  ['of an old head', ({ captured: { oldHead } }) => joinFrames([oldHead]), /outdated/],
  ['of an old head and the newest', ({ captured: { oldHead, head } }) => joinFrames([oldHead, head]), /outdated/],
  ['of a bundle', ({ captured: { bundle } }) => joinFrames([bundle]), /not JSON/],
  [
    "of another module's head, signed with the cluster's key",
    ({ signByCluster, headSubject, headOfOtherModule }) => joinFrames([signByCluster(headSubject, headOfOtherModule)]),
    /wrong subject/,
  ],
  ['of nothing', () => '', /whole frames/],
  ['of a head without its length', ({ captured: { head } }) => head, /whole frames/],
  ['with a length of 4 GB', () => Buffer.alloc(8, 0xff), /whole frames/],
  ['of an empty frame', () => joinFrames([new Uint8Array()]), /unsigned/],
  [
    'of 10,000 heads',
    ({ captured: { head } }) => joinFrames(Array.from({ length: 10_000 }, () => head)),
    new RegExp(`more than ${MAX_MODULES} frames`),
  ],
];

/** Load commands to one node. */
export const loadCommandCases: readonly Case[] = [
  ['a load command that it has executed', ({ captured: { loadCommand } }) => loadCommand, /replayed/],
  ['a bundle that it runs', ({ captured: { bundle } }) => bundle, /wrong subject/],
  ['an old head', ({ captured: { oldHead } }) => oldHead, /wrong subject/],
  [
    "a load command that is signed with the attacker's key",
    ({ signByAttacker, loadSubject, loadCommand }) => signByAttacker(loadSubject, loadCommand),
    /unknown key/,
  ],
  ['a bundle that is not signed', ({ attackBundle }) => encodeBundle(attackBundle), /unsigned/],
  [
    "a load command without code, signed with the cluster's key",
    ({ signByCluster, loadSubject }) => signByCluster(loadSubject, Buffer.from('{}')),
    /whole frames/,
  ],
];

const DEEP = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
const callOf = (module: string, name: string): string => JSON.stringify({ module, function: name, args: [] });
/** Requests, which need no signature. */
export const requestCases: readonly (readonly ['call' | 'purge' | 'dry-run' | 'digest', ...Case])[] = [
  ['call', 'that is empty', () => '', /not JSON/],
  ['call', 'that is not UTF-8', () => Buffer.of(0x7b, 0xff, 0xfe, 0x7d), /not JSON/],
  ['call', 'of a module called __proto__', () => callOf('__proto__', 'version'), /module: a module's name/],
  ['call', 'of a module called safe.*', () => callOf('safe.*', 'version'), /module: a module's name/],
  [
    'call',
    'of a module with a huge name',
    () => callOf('m'.repeat(500_000), 'version'),
    /^.{0,400}module: a module's name.{0,300}$/,
  ],
  ['call', 'of a function with a huge name', () => callOf('safe', 'f'.repeat(500_000)), /^.{0,700}$/],
  ['call', 'of a function called __proto__', () => callOf('safe', '__proto__'), /"undef"/],
  ['call', 'of a function called constructor', () => callOf('safe', 'constructor'), /"undef"/],
  ['call', 'of 2 MiB', () => callOf('safe', ' '.repeat(2 * MAX_REQUEST_BYTES)), /a request has at most/],
  ['call', 'of deeply nested JSON', () => DEEP, /malformed/],
  ['purge', 'of deeply nested JSON', () => `{"module":"safe","force":${DEEP}}`, /malformed/],
  ['purge', 'of a module called constructor', () => '{"module":"constructor","force":true}', /a module's name/],
  ['dry-run', 'of nothing', () => '{"modules":[]}', /malformed/],
  ['dry-run', 'of thousands of modules', ({ manyModules }) => manyModules, /nofile/],
  ['dry-run', 'of deeply nested JSON', () => `{"modules":${DEEP}}`, /malformed/],
  ['digest', 'of deeply nested JSON', () => `{"heads":{"safe":${DEEP}}}`, /malformed/],
  ['digest', 'of an invalid sequence', () => '{"heads":{"safe":-1}}', /malformed/],
  ['digest', 'of invalid module names', () => '{"heads":{"a.b":1,"__proto__":2,">":3}}', /a module's name/],
  ['digest', 'of 2 MiB', () => `{"heads":{${' '.repeat(2 * MAX_REQUEST_BYTES)}}}`, /a request has at most/],
];
