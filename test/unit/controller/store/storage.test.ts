import { describe, expect, it } from 'vitest';

import { type Storage, storageProblem, storageWarning } from '../../../../controller/src/store/storage.ts';

const MB = 2 ** 20;
const GB = 2 ** 30;
const roomy: Storage = {
  usedBytes: 10 * MB,
  maxBytes: 100 * MB,
  disk: { usedBytes: 10 * GB, freeBytes: 90 * GB },
  fault: null,
};

describe('storageProblem', () => {
  it.each<[string, Partial<Storage>, number | undefined, RegExp | null]>([
    ['nothing while there is room', {}, 50 * MB, null],
    [
      'the stream, how full it is, what is needed and what to raise',
      { usedBytes: 95 * MB },
      6 * MB,
      /^the stream is full: 95 MB of 100 MB \(95 %\), and this needs 6\.0 MB more; raise STREAM_MAX_MB: STREAM_MAX_MB=4096 docker compose up --detach controller$/,
    ],
    ['nothing of a stream in which that fits', { usedBytes: 95 * MB }, 5 * MB, null],
    ['the stream from 99 % on, whatever is needed', { usedBytes: 99 * MB }, undefined, /^the stream is full: 99 MB/],
    ['nothing of a stream below that', { usedBytes: 98 * MB }, undefined, null],
    [
      'the disk, before NATS meets its end',
      { disk: { usedBytes: 99.9 * GB, freeBytes: 0.05 * GB } },
      MB,
      /^the disk is full: Docker's volumes have 51 MB left \(99 % used\), and this needs 1\.0 MB more; make room .*pushes then work again$/,
    ],
    ['nothing of a disk that is not known', { disk: null }, MB, null],
    [
      'the full disk of NATS, and its restart',
      { fault: 'write /data/5.blk: no space left on device' },
      undefined,
      /^the disk of NATS is full, and NATS writes nothing \(.*no space left on device\); make room .*: docker compose restart nats$/,
    ],
    ['another fault of NATS in its words', { fault: 'input/output error' }, MB, /^NATS can't write the stream \(input/],
  ])('names %s', (_, part, bytes, text) => {
    const problem = storageProblem({ ...roomy, ...part }, bytes);
    if (text === null) expect(problem).toBeNull();
    else expect(problem).toMatch(text);
  });
});

describe('storageWarning', () => {
  it.each<[string, Partial<Storage>, RegExp | null]>([
    ['nothing below 80 %', { usedBytes: 79 * MB, disk: { usedBytes: 79, freeBytes: 21 } }, null],
    ['the stream from 80 % on', { usedBytes: 80 * MB }, /^the stream is nearly full: 80 MB of 100 MB \(80 %\)/],
    ['the disk from 80 % on', { disk: { usedBytes: 80 * GB, freeBytes: 20 * GB } }, /^the disk is nearly full:/],
  ])('names %s', (_, part, text) => {
    const warning = storageWarning({ ...roomy, ...part });
    if (text === null) expect(warning).toBeNull();
    else expect(warning).toMatch(text);
  });
});
