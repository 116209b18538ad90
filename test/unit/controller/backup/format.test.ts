import { describe, expect, it } from 'vitest';

import { aboutEntry, type Entry, readBackup, writeBackup } from '../../../../controller/src/backup/format.ts';
import { decryptKey, encryptKey } from '../../../../controller/src/backup/keys.ts';

const entries: Entry[] = [
  aboutEntry('dino', 5),
  { type: 'trust', content: Buffer.from('{}') },
  { type: 'record', subject: 'hotcast.dino.head.demo', content: Buffer.alloc(10_000, 'x') },
];

async function* each<T>(values: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* values;
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

async function fileOf(written: readonly Entry[] = entries): Promise<Buffer> {
  return Buffer.concat(await collect(writeBackup(each(written))));
}

/** Reads a file in chunks of a size. */
const read = (file: Buffer, size = 1_000): Promise<Entry[]> => {
  const count = Math.ceil(file.length / size);
  const chunks = Array.from({ length: count }, (_, index) => file.subarray(index * size, (index + 1) * size));
  return collect(readBackup(each(chunks)));
};

describe('a backup', () => {
  it.each([1, 7, 1_000, 10 ** 6])('has what was written, in chunks of %i bytes', async size => {
    expect(await read(await fileOf(entries.slice(0, 2)), size)).toEqual(entries.slice(0, 2));
    if (size > 1) expect(await read(await fileOf(), size)).toEqual(entries);
  });

  it('that is cut off anywhere is refused', async () => {
    const file = await fileOf();
    for (const length of [20, 100, 1_000, file.length - 1]) {
      await expect(read(file.subarray(0, length)), String(length)).rejects.toThrow('the backup is cut off');
    }
  });

  it('of which any byte was changed is refused', async () => {
    const file = await fileOf();
    for (const at of [0, 15, 18, 25, 60, 200, 5_000, file.length - 100, file.length - 5]) {
      const changed = Buffer.from(file);
      changed.writeUInt8((changed.at(at) ?? 0) ^ 1, at);
      await expect(read(changed), String(at)).rejects.toThrow(/^(?:the backup is |this file is not a backup)/);
    }
  });

  it('of which an entry is missing is refused', async () => {
    const file = await fileOf();
    const first = await fileOf(entries.slice(0, 1));
    const end = file.subarray(file.lastIndexOf('{"type":"end"') - 4);
    const begin = first.subarray(0, first.lastIndexOf('{"type":"end"') - 4);
    await expect(read(Buffer.concat([begin, end]))).rejects.toThrow('damaged');
  });

  it('of a newer version, and another file, are named', async () => {
    const newer = { ...aboutEntry('dino', 5), version: 2 } as Entry;
    await expect(read(await fileOf([newer]))).rejects.toThrow('the backup has version 2 of the format');
    await expect(read(Buffer.from('PK\u0003\u0004 something else'))).rejects.toThrow('not a backup of Hotcast');
    await expect(read(Buffer.alloc(0))).rejects.toThrow('not a backup of Hotcast');
  });
});

describe('the signing key of a backup', () => {
  const pem = Buffer.from('a private key');
  const encrypted = encryptKey(pem, 'yabba dabba doo', 'dino');

  it('is read with its passphrase only, of its cookie only, and not when it was changed', () => {
    expect(decryptKey(encrypted, 'yabba dabba doo', 'dino')).toBe('a private key');
    expect(Buffer.from(encrypted).includes(pem)).toBe(false);
    expect(() => decryptKey(encrypted, 'yabba dabba', 'dino')).toThrow('has another passphrase');
    expect(() => decryptKey(encrypted, 'yabba dabba doo', 'quarry')).toThrow('has another passphrase');
    expect(() => decryptKey(encrypted.subarray(1), 'yabba dabba doo', 'dino')).toThrow('has another passphrase');
  });

  it('needs a passphrase of eight characters', () => {
    expect(() => encryptKey(pem, 'dino', 'dino')).toThrow('must have 8 characters at least');
  });
});
