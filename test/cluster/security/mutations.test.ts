import * as fc from 'fast-check';
import { describe, expect } from 'vitest';

import { joinFrames } from '../../../protocol/framing.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { Attacker } from '../../support/attacker.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { loot } from '../../support/loot.ts';
import { Witness } from '../../support/witness.ts';

const it = clusterTest({ nodes: 1 });

/** Another one makes other mutants; a failure names it. */
const SEED = Number(process.env['SEED'] || 20_260_611);
const MUTANTS = 10_000;
const BATCH = 500;

/** A message as it was sealed, and where nodes look for it. */
interface Original {
  readonly subject: string;
  readonly bytes: Buffer;
  /** Put into a frame of its own when it is sent: a head. */
  readonly framed?: boolean;
}

type Change = (bytes: Buffer) => Buffer;

/** Where in a message, from its begin to its end: its seal is as likely as all the rest. */
const place = fc.oneof(
  fc.nat(160).map(at => (length: number) => Math.min(at, length)),
  fc.double({ min: 0, max: 1, noNaN: true }).map(share => (length: number) => Math.floor(share * length)),
);

/** One way to spoil a message, with parts of others. */
function changes(originals: readonly Original[]): fc.Arbitrary<Change> {
  const other = fc.constantFrom(...originals).map(({ bytes }) => bytes);
  return fc.oneof(
    fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, bits]): Change => bytes => {
      const copy = Buffer.from(bytes);
      const index = Math.min(at(bytes.length), bytes.length - 1);
      if (index >= 0) copy[index] = (copy[index] ?? 0) ^ bits;
      return copy;
    }),
    place.map(
      (at): Change =>
        bytes =>
          bytes.subarray(0, at(bytes.length)),
    ),
    place.map(
      (at): Change =>
        bytes =>
          bytes.subarray(at(bytes.length)),
    ),
    fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 64 })).map(([at, more]): Change => bytes => {
      const index = at(bytes.length);
      return Buffer.concat([bytes.subarray(0, index), more, bytes.subarray(index)]);
    }),
    fc.tuple(place, place).map(([from, to]): Change => bytes => {
      const [a, b] = [from(bytes.length), to(bytes.length)].toSorted((x, y) => x - y);
      return Buffer.concat([bytes.subarray(0, b), bytes.subarray(a)]);
    }),
    fc.tuple(place, other).map(([at, more]): Change => bytes => {
      const index = at(Math.min(bytes.length, more.length));
      return Buffer.concat([bytes.subarray(0, index), more.subarray(index)]);
    }),
    // The length of the subject in a seal, or of a frame.
    fc.tuple(fc.constantFrom(0, 2, 75, 79), fc.nat(0xffff)).map(([at, length]): Change => bytes => {
      const copy = Buffer.from(bytes);
      if (at + 2 <= copy.length) copy.writeUInt16BE(length, at);
      return copy;
    }),
  );
}

describe('a node', () => {
  it(`loads none of ${MUTANTS} mutants of what a controller sealed, and lives`, async ({ cluster }) => {
    const version = (name: string): string => `export function version() { return '${name}'; }\n`;
    const prey = await loot(cluster, 'safe', [version('old'), version('good')]);
    const subjects = subjectsOf(cluster.cookie);
    const commit = subjects.all('commit');
    const originals: Original[] = [
      { subject: subjects.bundle('safe', prey.revision), bytes: Buffer.from(prey.bundle) },
      { subject: subjects.node('fred', 'load'), bytes: Buffer.from(prey.order) },
      ...[prey.head, prey.oldHead].map(head => ({ subject: commit, bytes: Buffer.from(head), framed: true })),
      { subject: commit, bytes: Buffer.from(joinFrames([prey.oldHead, prey.head])) },
    ];
    const known = new Set(originals.map(({ bytes }) => bytes.toString('hex')));
    const mutants = fc.sample(
      fc
        .tuple(fc.constantFrom(...originals), fc.array(changes(originals), { minLength: 1, maxLength: 3 }))
        .map(([original, steps]) => ({
          ...original,
          bytes: steps.reduce((bytes, step) => step(bytes), original.bytes),
        }))
        .filter(({ bytes }) => !known.has(bytes.toString('hex'))),
      { seed: SEED, numRuns: MUTANTS },
    );

    await using witness = await Witness.of(cluster);
    await using attacker = await Attacker.as(cluster, 'controller');
    const standing = await witness.standing();
    const before = (await witness.nodes()).get('fred');
    const answers: string[] = [];
    attacker.nats.subscribe(`${attacker.inbox}.*`, { callback: (_, message) => void answers.push(message.string()) });
    for (let at = 0; at < MUTANTS; at += BATCH) {
      for (const { subject, bytes, framed = false } of mutants.slice(at, at + BATCH)) {
        attacker.send(subject, framed ? joinFrames([bytes]) : bytes);
      }
      // Answered after all that was sent before it.
      expect((await attacker.ask(subjects.node('fred', 'ping'), '', 1)).size).toBe(1);
    }
    const after = (await witness.nodes()).get('fred');
    const seed = `SEED=${SEED}`;
    expect(await witness.standing(), seed).toEqual(standing);
    expect(answers.length, seed).toBe(MUTANTS);
    const taken = answers.filter(answer => !/"malformed"|"outdated"/.test(answer));
    expect(taken, seed).toEqual([]);
    // All but those whose frames were broken.
    expect((after?.rejected ?? 0) - (before?.rejected ?? 0), seed).toBeGreaterThan(MUTANTS / 2);
    expect((after?.memoryBytes ?? Infinity) - (before?.memoryBytes ?? 0), seed).toBeLessThan(100 * 1024 * 1024);

    cluster.writeModule('safe', version('next'));
    expect((await cluster.push('safe')).exitCode, seed).toBe(0);
    expect((await cluster.call('safe.version()')).result.nodes, seed).toMatchObject([{ json: '"next"' }]);
  });
});
