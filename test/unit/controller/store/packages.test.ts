import { hash as digest } from 'node:crypto';

import { JetStreamApiCodes, JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import { expect, it } from 'vitest';

import { createPackages, type StorableArchive } from '../../../../controller/src/store/packages.ts';
import type { Keyring } from '../../../../controller/src/store/keyring.ts';
import type { Stream } from '../../../../controller/src/store/stream.ts';
import { ARCHIVE_CHUNK_BYTES } from '../../../../protocol/limits.ts';
import { encodePackageSet, packageSetHashOf } from '../../../../protocol/packages.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';

const subjects = subjectsOf('dino');
const LARGE = 'a'.repeat(64);
const SMALL = 'b'.repeat(64);

/** A store over a stream in memory. `written`: the subjects in the order of the writes. */
function open() {
  const records = new Map<string, Uint8Array>();
  const written: string[] = [];
  let key = '1';
  const keyring = {
    sign: (_: string, payload: Uint8Array) => Buffer.concat([Buffer.from(key), payload]),
    verify: (_: string, bytes: Uint8Array) => Buffer.from(bytes.subarray(1)),
    isCurrent: (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 1)).toString() === key,
  } as unknown as Keyring;
  const matches = (filter: string, subject: string): boolean =>
    new RegExp(`^${filter.replaceAll('.', String.raw`\.`).replaceAll('*', '[^.]+')}$`).test(subject);
  const stream = {
    client: {
      publish: async (subject: string, data: Uint8Array, options?: { expect?: object }) => {
        if (options?.expect !== undefined && records.has(subject)) {
          const err_code = JetStreamApiCodes.StreamWrongLastSequence;
          throw new JetStreamApiError({ code: 400, description: 'wrong last sequence', err_code });
        }
        records.set(subject, data);
        written.push(subject);
      },
    },
    last: async (subject: string) => {
      const data = records.get(subject);
      return data === undefined ? null : ({ subject, data } as StoredMsg);
    },
    subjects: async (filter: string) =>
      Object.fromEntries([...records.keys()].filter(each => matches(filter, each)).map(each => [each, 1])),
    purge: async (filter: string, keep = 0) => {
      if (keep === 0) for (const each of records.keys()) if (matches(filter, each)) records.delete(each);
    },
  } as unknown as Stream;
  return { ...createPackages(stream, subjects, keyring), records, written, rotate: () => (key = '2') };
}

const released: string[] = [];
const archive = (hash: string, bytes: Uint8Array): StorableArchive => ({
  hash,
  packedBytes: bytes.length,
  chunks: Math.ceil(bytes.length / ARCHIVE_CHUNK_BYTES),
  packed: async () => bytes,
  release: () => void released.push(hash),
});

const large = Buffer.alloc(ARCHIVE_CHUNK_BYTES + 5, 'x');
const set = encodePackageSet({ roots: {}, instances: [] });
const PACKAGES = {
  hash: packageSetHashOf(set),
  set,
  archives: [archive(LARGE, large), archive(SMALL, Buffer.from('s'))],
};

it('writes archives in chunks, then their set, and nothing that is there', async () => {
  const { missingPackages, putPackages, packageSet, archives, written, records } = open();
  const missing = await missingPackages([PACKAGES, PACKAGES]);
  expect(missing.bytes).toBe(large.length + 1 + set.length);
  await putPackages(missing);
  const inOrder = [subjects.archiveChunk(LARGE, 0), subjects.archiveChunk(LARGE, 1), subjects.archiveChunk(SMALL, 0)];
  expect(written.toSorted()).toEqual([...inOrder, subjects.packageSet(PACKAGES.hash)].toSorted());
  expect(written.at(-1)).toBe(subjects.packageSet(PACKAGES.hash));
  expect(records.get(subjects.archiveChunk(LARGE, 1))).toHaveLength(1 + 5);
  expect(released.toSorted()).toEqual([LARGE, SMALL]);
  expect(await packageSet(PACKAGES.hash)).toEqual({ roots: {}, instances: [] });
  expect(await archives()).toEqual(
    new Map([
      [LARGE, 2],
      [SMALL, 1],
    ]),
  );
  expect((await missingPackages([PACKAGES])).bytes).toBe(0);
});

it('completes an archive of which only a part was written', async () => {
  const { missingPackages, putPackages, records, written } = open();
  records.set(subjects.archiveChunk(LARGE, 0), Buffer.from('1'));
  records.set(subjects.archiveChunk(SMALL, 0), Buffer.from('1'));
  await putPackages(await missingPackages([PACKAGES]));
  expect(written).toEqual([subjects.archiveChunk(LARGE, 1), subjects.packageSet(PACKAGES.hash)]);
});

it('writes an archive again that was removed before its set was written', async () => {
  const { missingPackages, putPackages, removeArchive, archives, records } = open();
  records.set(subjects.archiveChunk(SMALL, 0), Buffer.from('1'));
  const missing = await missingPackages([PACKAGES]);
  await removeArchive(SMALL);
  await putPackages(missing);
  expect([...(await archives()).keys()].toSorted()).toEqual([LARGE, SMALL]);
});

it('asks nothing about sets that a kept head names', async () => {
  const { missingPackages } = open();
  expect(await missingPackages([PACKAGES], new Set([PACKAGES.hash]))).toEqual({ sets: [], archives: [], bytes: 0 });
});

it('writes again what it has removed', async () => {
  const { missingPackages, putPackages, removeArchive, removePackageSet, records } = open();
  await putPackages(await missingPackages([PACKAGES]));
  const content = () => [...records].map(([subject, bytes]) => `${subject} ${digest('sha256', bytes)}`).toSorted();
  const before = content();
  const [archiveAgain, setAgain] = [await removeArchive(LARGE), await removePackageSet(PACKAGES.hash)];
  expect(records.size).toBe(1);
  await archiveAgain();
  await setAgain();
  expect(content()).toEqual(before);
});

it('signs all of it again with a new key', async () => {
  const { missingPackages, putPackages, signPackagesAgain, rotate } = open();
  await putPackages(await missingPackages([PACKAGES]));
  rotate();
  expect([await signPackagesAgain(), await signPackagesAgain()]).toEqual([4, 0]);
});
