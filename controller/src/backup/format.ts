import { createHash } from 'node:crypto';

import * as v from 'valibot';

import { UsageError } from '../../../protocol/errors.ts';
import { count } from '../../../protocol/schemas.ts';
import { ByteReader } from './byte-reader.ts';

/** The version of the format. A reader refuses a newer one. */
const VERSION = 1;

/** The first bytes of every backup. */
const MAGIC = Buffer.from('HOTCAST BACKUP\n');

/** The longest header and the largest content of an entry: NATS takes 8 MB. */
const MAX_HEADER_BYTES = 4_096;
const MAX_CONTENT_BYTES = 16 * 2 ** 20;

const sized = { bytes: count };

const entrySchema = v.variant('type', [
  /** `at`: when the backup was begun, milliseconds since 1970. */
  v.object({ type: v.literal('about'), version: count, cookie: v.string(), at: count, ...sized }),
  /** The file of a trusted public key. */
  v.object({ type: v.literal('trust'), ...sized }),
  /** The signing key, encrypted: see keys.ts. */
  v.object({ type: v.literal('signing key'), ...sized }),
  /** A message of the stream. */
  v.object({ type: v.literal('record'), subject: v.string(), ...sized }),
  /** The last one: how many entries there are before it, and the SHA-256 of all bytes before it. */
  v.object({ type: v.literal('end'), entries: count, sha256: v.string(), ...sized }),
]);

type Header = v.InferOutput<typeof entrySchema>;
type WithoutSize<T> = T extends unknown ? Omit<T, 'bytes'> : never;

/** An entry of a backup with its content, which may be empty. */
export type Entry = WithoutSize<Exclude<Header, { type: 'end' }>> & { readonly content: Uint8Array };

/** The file is not a backup, or not a whole one, or it was changed. */
export class BackupError extends UsageError {}

/** The first entry of a backup. */
export function aboutEntry(cookie: string, at: number): Entry {
  return { type: 'about', version: VERSION, cookie, at, content: Buffer.alloc(0) };
}

/** Writes entries as a backup: magic, then for each entry the length of its header (4 bytes), its header as JSON, its content. */
export async function* writeBackup(entries: AsyncIterable<Entry>): AsyncGenerator<Uint8Array, void, undefined> {
  const sha256 = createHash('sha256');
  let written = 0;
  const counted = (bytes: Uint8Array): Uint8Array => {
    sha256.update(bytes);
    return bytes;
  };
  yield counted(MAGIC);
  for await (const { content, ...entry } of entries) {
    written += 1;
    yield counted(headerBytes({ ...entry, bytes: content.length }));
    yield counted(content);
  }
  yield headerBytes({ type: 'end', entries: written, sha256: sha256.digest('hex'), bytes: 0 });
}

/**
 * Reads a backup. What it yields is not checked as a whole before the last entry: whoever reads writes only what is checked by
 * itself before.
 *
 * @throws BackupError when it is not a backup, has a newer version, is cut off, or was changed.
 */
export async function* readBackup(file: AsyncIterable<Uint8Array>): AsyncGenerator<Entry, void, undefined> {
  const reader = new ByteReader(file);
  const sha256 = createHash('sha256');
  const take = async (length: number): Promise<Buffer> => {
    const bytes = await reader.take(length);
    if (bytes === null) throw new BackupError('the backup is cut off: its end is missing');
    return bytes;
  };
  const magic = await reader.take(MAGIC.length);
  if (magic === null || !magic.equals(MAGIC)) throw new BackupError('this file is not a backup of Hotcast');
  sha256.update(magic);
  for (let entries = 0; ; entries += 1) {
    const length = await take(4);
    if (length.readUInt32BE() > MAX_HEADER_BYTES) throw changed();
    const json = await take(length.readUInt32BE());
    const header = readHeader(json);
    if (header.type === 'end') {
      if (header.sha256 !== sha256.digest('hex') || header.entries !== entries) throw changed();
      return;
    }
    if (header.bytes > MAX_CONTENT_BYTES || (entries === 0) !== (header.type === 'about')) throw changed();
    if (header.type === 'about' && header.version > VERSION) {
      throw new BackupError(
        `the backup has version ${header.version} of the format; this Hotcast reads up to ${VERSION}`,
      );
    }
    const content = await take(header.bytes);
    for (const part of [length, json, content]) sha256.update(part);
    const { bytes: _, ...entry } = header;
    yield { ...entry, content };
  }
}

function headerBytes(header: Header): Uint8Array {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}

function readHeader(json: Buffer): Header {
  const { success, output } = v.safeParse(v.pipe(v.string(), v.parseJson(), entrySchema), json.toString());
  if (!success) throw changed();
  return output;
}

const changed = (): BackupError => new BackupError('the backup is damaged: its content is not what was written');
