import { createInbox } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import { encodeBundle } from '../../../protocol/bundle.ts';
import { joinFrames } from '../../../protocol/framing.ts';
import { MAX_MODULES, MAX_REQUEST_BYTES } from '../../../protocol/limits.ts';
import { type Subjects, subjectsOf } from '../../../protocol/subjects.ts';
import { type Arms, armsFrom } from '../../support/arms.ts';
import { Attacker } from '../../support/attacker.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { loot } from '../../support/loot.ts';
import { Witness } from '../../support/witness.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';

const it = clusterTest({ nodes: 3 })
  .extend('arms', { scope: 'file' }, async ({ cluster }) => {
    const version = (name: string): string => `export function version() { return '${name}'; }\n`;
    return armsFrom(cluster, await loot(cluster, 'safe', [version('old'), version('good')]));
  })
  .extend('attacker', { scope: 'file' }, async ({ cluster }, { onCleanup }) => {
    const attacker = await Attacker.as(cluster, 'controller');
    onCleanup(() => attacker[Symbol.asyncDispose]());
    return attacker;
  })
  .extend('witness', { scope: 'file' }, async ({ cluster }, { onCleanup }) => {
    const witness = await Witness.of(cluster);
    onCleanup(() => witness[Symbol.asyncDispose]());
    return witness;
  });

type Payload = (arms: Arms) => Uint8Array | string;
/** What is sent, and what every node that gets it answers. */
type Row = readonly [title: string, payload: Payload, answer: RegExp];

const asBundle: readonly Row[] = [
  ['that is not sealed', ({ bad }) => encodeBundle(bad), /unsealed/],
  ['that is empty', () => '', /unsealed/],
  ['of 7 MiB of noise', ({ noise }) => noise(7 * 1024 * 1024), /unsealed/],
  ['with half a seal', ({ badSealed }) => badSealed.subarray(0, 40), /unsealed/],
  ['with another version of the seal', ({ badSealed, changed }) => changed(badSealed, 2), /unsealed/],
  ['whose subject is longer than all of it', ({ badSealed, changed }) => changed(badSealed, 75, 0x80), /unsealed/],
  ["sealed with the attacker's key", ({ badSealed }) => badSealed, /unknown key/],
  ["sealed with the attacker's key in our key's name", ({ posing }) => posing, /forged/],
  ['with our own key and signature and other code', ({ grafted }) => grafted, /misplaced|forged/],
  ['of another revision, ours', ({ loot: { bundle } }) => bundle, /misplaced/],
  ['that is a head of ours', ({ loot: { head } }) => head, /misplaced/],
  [
    "for another cookie, with this one's key",
    ({ ours, strange, bad }) => ours(strange, encodeBundle(bad)),
    /misplaced/,
  ],
  [
    "that is a gzip bomb, with the attacker's key",
    ({ theirs, badSubject, bomb }) => theirs(badSubject, bomb),
    /unknown key/,
  ],
  // What only a broken controller would seal.
  [
    'that is a gzip bomb, with our key',
    ({ ours, badSubject, bomb }) => ours(badSubject, bomb),
    /does not unpack within/,
  ],
  ['that is no gzip, with our key', ({ ours, badSubject }) => ours(badSubject, Buffer.from('{}')), /does not unpack/],
  [
    'whose code is another revision, with our key',
    ({ ours, badSubject, mislabelled }) => ours(badSubject, mislabelled),
    /the code is revision/,
  ],
  ['of nested JSON, with our key', ({ ours, badSubject, nested }) => ours(badSubject, nested), /malformed/],
];

const asOurBundle: readonly Row[] = [
  ['with a byte of the signature changed', ({ loot: { bundle }, changed }) => changed(bundle, 20), /forged/],
  ['with a byte of the subject changed', ({ loot: { bundle }, changed }) => changed(bundle, 90), /misplaced/],
  ["with a byte of the key's id changed", ({ loot: { bundle }, changed }) => changed(bundle, 5), /unknown key/],
  ['with its last byte changed', ({ loot: { bundle }, changed }) => changed(bundle, bundle.length - 1), /forged/],
  ['with its last byte cut off', ({ loot: { bundle } }) => bundle.subarray(0, -1), /forged/],
  ['with a byte more', ({ loot: { bundle } }) => Buffer.concat([bundle, Buffer.of(0)]), /forged/],
];

const asCommit: readonly Row[] = [
  ['of a head that is not sealed', ({ badHead }) => joinFrames([badHead]), /unsealed/],
  [
    "of a head with the attacker's key",
    ({ theirs, headSubject, badHead }) => joinFrames([theirs(headSubject, badHead)]),
    /unknown key/,
  ],
  ['of a changed head', ({ loot: { head }, changed }) => joinFrames([changed(head, head.length - 3)]), /forged/],
  ['of an old head, played again', ({ loot: { oldHead } }) => joinFrames([oldHead]), /outdated/],
  ['of an old head and the newest', ({ loot: { oldHead, head } }) => joinFrames([oldHead, head]), /outdated/],
  ['of a bundle', ({ loot: { bundle } }) => joinFrames([bundle]), /not JSON/],
  [
    'of a head from the future, with our key',
    ({ ours, headSubject, future }) => joinFrames([ours(headSubject, future)]),
    /from the future/,
  ],
  [
    "of another module's head, with our key",
    ({ ours, headSubject, otherHead }) => joinFrames([ours(headSubject, otherHead)]),
    /misplaced/,
  ],
  ['of nothing', () => '', /whole frames/],
  ['of a head without its length', ({ loot: { head } }) => head, /whole frames/],
  ['with a length of 4 GB', () => Buffer.alloc(8, 0xff), /whole frames/],
  ['of an empty frame', () => joinFrames([new Uint8Array()]), /unsealed/],
  [
    'of 10,000 heads',
    ({ loot: { head } }) => joinFrames(Array.from({ length: 10_000 }, () => head)),
    new RegExp(`more than ${MAX_MODULES} frames`),
  ],
];

const nodeLoad: readonly Row[] = [
  ['an order that it obeyed once', ({ loot: { order } }) => order, /played again/],
  ['a bundle that it has', ({ loot: { bundle } }) => bundle, /misplaced/],
  ['an old head', ({ loot: { oldHead } }) => oldHead, /misplaced/],
  ["an order with the attacker's key", ({ theirs, toFred, badOrder }) => theirs(toFred, badOrder), /unknown key/],
  ['a bundle that is not sealed', ({ bad }) => encodeBundle(bad), /unsealed/],
  ['an order without code, with our key', ({ ours, toFred }) => ours(toFred, Buffer.from('{}')), /whole frames/],
];

const DEEP = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
const callOf = (module: string, name: string): string => JSON.stringify({ module, function: name, args: [] });
const requests: readonly (readonly ['call' | 'purge' | 'dry-run' | 'digest', ...Row])[] = [
  ['call', 'that is empty', () => '', /not JSON/],
  ['call', 'that is no UTF-8', () => Buffer.of(0x7b, 0xff, 0xfe, 0x7d), /not JSON/],
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
  ['call', 'that is nested deeply', () => DEEP, /malformed/],
  ['purge', 'that is nested deeply', () => `{"module":"safe","force":${DEEP}}`, /malformed/],
  ['purge', 'of a module called constructor', () => '{"module":"constructor","force":true}', /a module's name/],
  ['dry-run', 'of nothing', () => '{"modules":[]}', /malformed/],
  ['dry-run', 'of thousands of modules', ({ manyModules }) => manyModules, /nofile/],
  ['dry-run', 'that is nested deeply', () => `{"modules":${DEEP}}`, /malformed/],
  ['digest', 'that is nested deeply', () => `{"heads":{"safe":${DEEP}}}`, /malformed/],
  ['digest', 'of a broken sequence', () => '{"heads":{"safe":-1}}', /malformed/],
  ['digest', 'of names that are none', () => '{"heads":{"a.b":1,"__proto__":2,">":3}}', /a module's name/],
  ['digest', 'of 2 MiB', () => `{"heads":{${' '.repeat(2 * MAX_REQUEST_BYTES)}}}`, /a request has at most/],
];

const FAULTS = /unsealed|misplaced|unknown key|forged|from the future|played again/;

/** Sends one message, to all nodes or to some: each answers as it should, has counted it, and is as it was. */
async function refused(
  { arms, attacker, witness }: { readonly arms: Arms; readonly attacker: Attacker; readonly witness: Witness },
  subject: string,
  [, payload, answer]: Row,
  nodes: readonly string[],
): Promise<void> {
  const before = await witness.nodes();
  const standing = await witness.standing();
  const answers = await attacker.ask(subject, payload(arms), nodes.length);
  expect([...answers.keys()].toSorted()).toEqual(nodes.toSorted());
  for (const text of answers.values()) expect(text).toMatch(answer);
  expect(await witness.standing()).toEqual(standing);
  const after = await witness.nodes();
  const isUntrusted = [...answers.values()].every(text => FAULTS.test(text));
  for (const node of nodes) {
    expect((after.get(node)?.rejected ?? 0) - (before.get(node)?.rejected ?? 0)).toBe(isUntrusted ? 1 : 0);
  }
}

/** The subjects of the cluster, and one of what the attacker wants to load. */
const on = (cookie: string): Subjects => subjectsOf(cookie);

describe("whoever has the controller's NATS credentials and not its key", () => {
  it.for(asBundle)('loads nothing by a bundle %s', async (row, { cluster, arms, attacker, witness }) => {
    await refused({ arms, attacker, witness }, arms.badSubject, row, cluster.names);
  });

  it.for(asOurBundle)('loads nothing by a bundle of ours %s', async (row, { cluster, arms, attacker, witness }) => {
    const { module, revision } = arms.loot;
    await refused({ arms, attacker, witness }, on(cluster.cookie).bundle(module, revision), row, cluster.names);
  });

  it.for(asCommit)('loads nothing by a commit %s', async (row, { cluster, arms, attacker, witness }) => {
    await refused({ arms, attacker, witness }, on(cluster.cookie).all('commit'), row, cluster.names);
  });

  it.for(nodeLoad)('loads nothing by sending a node %s', async (row, { cluster, arms, attacker, witness }) => {
    await refused({ arms, attacker, witness }, on(cluster.cookie).node('fred', 'load'), row, ['fred']);
  });

  it("can't have one node's order obeyed by the others", async ({ cluster, arms, attacker, witness }) => {
    const row: Row = ['', ({ loot: { order } }) => order, /misplaced/];
    await refused({ arms, attacker, witness }, on(cluster.cookie).node('bambam', 'load'), row, ['bambam']);
  });

  it.for(requests)('breaks nothing by a %s %s', async ([verb, ...row], { cluster, arms, attacker, witness }) => {
    await refused({ arms, attacker, witness }, on(cluster.cookie).all(verb), row, cluster.names);
  });

  it("can't have a node speak anywhere but in a controller's inbox", async ({ cluster, attacker, witness }) => {
    const subjects = on(cluster.cookie);
    const standing = await witness.standing();
    const heard: string[] = [];
    const inbox = createInbox(inboxPrefix('controller'));
    for (const subject of [subjects.events, inboxPrefix('controller').concat('.>')]) {
      attacker.nats.subscribe(subject, { callback: (_, message) => void heard.push(message.subject) });
    }
    const elsewhere = [
      subjects.event('fred', 'goodbye'),
      subjects.head('safe'),
      `${inbox}.betty`,
      '_INBOX.controller.*',
      '_INBOX.controller.>',
      '_INBOX.roster.x',
    ];
    for (const reply of elsewhere) attacker.nats.publish(subjects.node('fred', 'describe'), '{}', { reply });
    attacker.nats.publish(subjects.node('fred', 'ping').replace('ping', 'eval'), 'process.exit()', { reply: inbox });
    expect([...(await attacker.ask(subjects.node('fred', 'ping'), '', 1)).keys()]).toEqual(['fred']);
    const strange = heard.filter(subject => elsewhere.some(each => subject === each || subject.startsWith(inbox)));
    expect(strange).toEqual([]);
    expect(await witness.standing()).toEqual(standing);
    expect((await cluster.logsOf('fred')).filter(({ msg }) => msg === 'NATS reported an error')).toEqual([]);
  });

  it('fills no log by a flood, and the nodes answer meanwhile', async ({ cluster, arms, attacker, witness }) => {
    const standing = await witness.standing();
    const before = await witness.nodes();
    const lines = (await cluster.logsOf('fred')).length;
    const subjects = on(cluster.cookie);
    for (let round = 0; round < 10; round += 1) {
      for (let index = 0; index < 1_000; index += 1) {
        // Only what somebody waits for is looked at.
        attacker.send(arms.badSubject, arms.badPacked);
        attacker.nats.publish(subjects.all('call'), 'not JSON');
      }
      expect((await attacker.ask(subjects.all('ping'), '', 3)).size).toBe(3);
    }
    const after = await witness.nodes();
    for (const node of cluster.names) {
      expect((after.get(node)?.rejected ?? 0) - (before.get(node)?.rejected ?? 0)).toBe(10_000);
    }
    expect((await cluster.logsOf('fred')).length - lines).toBeLessThan(5);
    expect(await witness.standing()).toEqual(standing);
  });

  it('has left the cluster as it was, told of and healthy', async ({ cluster, arms, witness }) => {
    expect((await cluster.status()).exitCode).toBe(0);
    const { result } = await cluster.call('safe.version()');
    expect(result.nodes).toMatchObject(cluster.names.map(node => ({ node, json: '"good"' })));
    for (const { memoryBytes } of (await witness.nodes()).values()) expect(memoryBytes).toBeLessThan(400 * 1024 * 1024);
    await cluster.logged('controller', ({ msg }) => msg === 'a node was sent what it does not trust');
    for (const node of cluster.names) {
      const { RestartCount } = await (await cluster.container(node)).inspect();
      expect(RestartCount).toBe(0);
      const told = (await cluster.logsOf(node)).filter(({ msg }) => msg === 'not trusted, and not obeyed');
      // Once for each kind of fault.
      expect(told.length).toBeLessThanOrEqual(12);
    }
    cluster.writeModule('safe', "export function version() { return 'next'; }\n");
    expect((await cluster.push('safe')).exitCode).toBe(0);
    expect(arms.loot.module).toBe('safe');
  });
});
