import * as fc from 'fast-check';
import { describe, expect } from 'vitest';

import { joinFrames } from '../../../protocol/bytes/framing.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { Attacker } from '../../support/attack/attacker.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { captureMessages } from '../../support/attack/captured-messages.ts';
import { versionSource } from '../../support/cluster/module-sources.ts';
import { NodeObserver } from '../../support/cluster/node-observer.ts';

const it = clusterTest({ nodes: 1 });

/** Set SEED to repeat a run with the seed that a failure shows. */
const SEED = Number(process.env['SEED'] || 20_260_611);
const MUTATIONS = 10_000;
const BATCH_SIZE = 500;

/** A signed message and its subject. */
interface Original {
  readonly subject: string;
  readonly bytes: Buffer;
  /** Sent inside a frame of its own, as heads are. */
  readonly framed?: boolean;
}

type Change = (bytes: Buffer) => Buffer;

/** A position in a message: in the envelope's header as often as in all the rest. */
const position = fc.oneof(
  fc.nat(160).map(at => (length: number) => Math.min(at, length)),
  fc.double({ min: 0, max: 1, noNaN: true }).map(share => (length: number) => Math.floor(share * length)),
);

/** A random mutation of a message: changed, cut, inserted or repeated bytes, or a part of another message. */
function mutations(originals: readonly Original[]): fc.Arbitrary<Change> {
  const other = fc.constantFrom(...originals).map(({ bytes }) => bytes);
  return fc.oneof(
    fc.tuple(position, fc.integer({ min: 1, max: 255 })).map(([at, bits]): Change => bytes => {
      const copy = Buffer.from(bytes);
      const index = Math.min(at(bytes.length), bytes.length - 1);
      if (index >= 0) copy[index] = (copy[index] ?? 0) ^ bits;
      return copy;
    }),
    position.map(
      (at): Change =>
        bytes =>
          bytes.subarray(0, at(bytes.length)),
    ),
    position.map(
      (at): Change =>
        bytes =>
          bytes.subarray(at(bytes.length)),
    ),
    fc.tuple(position, fc.uint8Array({ minLength: 1, maxLength: 64 })).map(([at, more]): Change => bytes => {
      const index = at(bytes.length);
      return Buffer.concat([bytes.subarray(0, index), more, bytes.subarray(index)]);
    }),
    fc.tuple(position, position).map(([from, to]): Change => bytes => {
      const [a, b] = [from(bytes.length), to(bytes.length)].toSorted((x, y) => x - y);
      return Buffer.concat([bytes.subarray(0, b), bytes.subarray(a)]);
    }),
    fc.tuple(position, other).map(([at, more]): Change => bytes => {
      const index = at(Math.min(bytes.length, more.length));
      return Buffer.concat([bytes.subarray(0, index), more.subarray(index)]);
    }),
    // The length of the subject in an envelope, or of a frame.
    fc.tuple(fc.constantFrom(0, 2, 75, 79), fc.nat(0xffff)).map(([at, length]): Change => bytes => {
      const copy = Buffer.from(bytes);
      if (at + 2 <= copy.length) copy.writeUInt16BE(length, at);
      return copy;
    }),
  );
}

describe('a node', () => {
  it(`loads none of ${MUTATIONS} mutations of signed messages, and keeps running`, async ({ cluster }) => {
    const captured = await captureMessages(cluster, 'safe', [versionSource('old'), versionSource('good')]);
    const subjects = subjectsOf(cluster.cookie);
    const commit = subjects.all('commit');
    const originals: Original[] = [
      { subject: subjects.bundle('safe', captured.revision), bytes: Buffer.from(captured.bundle) },
      { subject: subjects.node('fred', 'load'), bytes: Buffer.from(captured.loadCommand) },
      ...[captured.head, captured.oldHead].map(head => ({ subject: commit, bytes: Buffer.from(head), framed: true })),
      { subject: commit, bytes: Buffer.from(joinFrames([captured.oldHead, captured.head])) },
    ];
    const known = new Set(originals.map(({ bytes }) => bytes.toString('hex')));
    const mutated = fc.sample(
      fc
        .tuple(fc.constantFrom(...originals), fc.array(mutations(originals), { minLength: 1, maxLength: 3 }))
        .map(([original, steps]) => ({
          ...original,
          bytes: steps.reduce((bytes, step) => step(bytes), original.bytes),
        }))
        .filter(({ bytes }) => !known.has(bytes.toString('hex'))),
      { seed: SEED, numRuns: MUTATIONS },
    );

    await using nodeObserver = await NodeObserver.connect(cluster);
    await using attacker = await Attacker.as(cluster, 'controller');
    const snapshot = await nodeObserver.snapshot();
    const before = (await nodeObserver.nodes()).get('fred');
    const answers: string[] = [];
    attacker.nats.subscribe(`${attacker.inbox}.*`, { callback: (_, message) => void answers.push(message.string()) });
    for (let at = 0; at < MUTATIONS; at += BATCH_SIZE) {
      for (const { subject, bytes, framed = false } of mutated.slice(at, at + BATCH_SIZE)) {
        attacker.send(subject, framed ? joinFrames([bytes]) : bytes);
      }
      // CommandResult after all that was sent before it.
      expect((await attacker.request(subjects.node('fred', 'ping'), '', 1)).size).toBe(1);
    }
    const after = (await nodeObserver.nodes()).get('fred');
    const seed = `SEED=${SEED}`;
    expect(await nodeObserver.snapshot(), seed).toEqual(snapshot);
    expect(answers.length, seed).toBe(MUTATIONS);
    const accepted = answers.filter(answer => !/"malformed"|"outdated"/.test(answer));
    expect(accepted, seed).toEqual([]);
    // Messages with broken frames are malformed and not counted as rejected.
    expect((after?.rejected ?? 0) - (before?.rejected ?? 0), seed).toBeGreaterThan(MUTATIONS / 2);
    expect((after?.memoryBytes ?? Infinity) - (before?.memoryBytes ?? 0), seed).toBeLessThan(100 * 1024 * 1024);

    cluster.writeModule('safe', versionSource('next'));
    expect((await cluster.push('safe')).exitCode, seed).toBe(0);
    expect((await cluster.call('safe.version()')).result.nodes, seed).toMatchObject([{ json: '"next"' }]);
  });
});
