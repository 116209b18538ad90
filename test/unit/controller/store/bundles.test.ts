import { gzipSync } from 'node:zlib';

import { JetStreamApiCodes, JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import { expect, it } from 'vitest';

import { createBundles } from '../../../../controller/src/store/bundles.ts';
import type { Keyring } from '../../../../controller/src/store/keyring.ts';
import type { Stream } from '../../../../controller/src/store/stream.ts';
import { decodeBundle, encodeBundle } from '../../../../protocol/bundle.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { bundleOf } from '../../fixtures.ts';

const subjects = subjectsOf('dino');
const demo = bundleOf('demo', 'exports.add = (x, y) => x + y;');
const counter = bundleOf('counter', 'exports.count = 1;');
const ofOtherFormat = gzipSync('what some release wrote');

/** Bundles over a stream in memory, in which a record of this content is stored under the name of demo. */
function open(stored: Uint8Array | null) {
  const records = new Map<string, Uint8Array>(
    stored === null ? [] : [[subjects.bundle('demo', demo.revision), stored]],
  );
  const keyring = {
    sign: (_: string, payload: Uint8Array) => payload,
    verify: (_: string, bytes: Uint8Array) => bytes,
  } as unknown as Keyring;
  const stream = {
    client: {
      publish: async (subject: string, data: Uint8Array, options?: { expect?: object }) => {
        if (options?.expect !== undefined && records.has(subject)) {
          const err_code = JetStreamApiCodes.StreamWrongLastSequence;
          throw new JetStreamApiError({ code: 400, description: 'wrong last sequence', err_code });
        }
        records.set(subject, data);
      },
    },
    last: async (subject: string) => {
      const data = records.get(subject);
      return data === undefined ? null : ({ subject, data } as StoredMsg);
    },
    subjects: async () => Object.fromEntries([...records.keys()].map(each => [each, 1])),
    purge: async () => undefined,
  } as unknown as Stream;
  return createBundles(stream, subjects, keyring);
}

it('a bundle whose stored form this release can not read is named, and written again', async () => {
  const bundles = open(ofOtherFormat);
  expect(await bundles.unreadableBundles([demo])).toEqual([demo]);
  await bundles.putBundle(demo, encodeBundle(demo));
  expect(await bundles.unreadableBundles([demo])).toEqual([]);
  expect(decodeBundle((await bundles.bundle(demo)) ?? new Uint8Array())).toEqual(demo);
});

it('a bundle that is not there is named too, and one that can be read is not', async () => {
  const bundles = open(encodeBundle(demo));
  expect(await bundles.unreadableBundles([demo, counter])).toEqual([counter]);
});

it('a bundle that can be read is not written again, whatever is put', async () => {
  const bundles = open(encodeBundle(demo));
  await bundles.putBundle(demo, ofOtherFormat);
  expect(await bundles.bundle(demo)).toEqual(encodeBundle(demo));
});
