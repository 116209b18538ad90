import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import { DecodeError } from '../../../protocol/errors.ts';
import { MAX_ARCHIVE_BYTES } from '../../../protocol/limits.ts';
import { type Archive, archiveHashOf, decodeArchive } from '../../../protocol/packages.ts';

/**
 * Unpacks an archive.
 *
 * @param chunks its packed bytes, in the parts that are stored.
 * @throws DecodeError when it has another hash, is larger than the limit, or can't be unpacked.
 */
export async function unpackArchive(chunks: readonly Uint8Array[], expectedHash: string): Promise<Archive> {
  const bytes = await unpack(Buffer.concat(chunks));
  if (archiveHashOf(bytes) !== expectedHash) throw new DecodeError('the archive of a package has another hash');
  return decodeArchive(bytes);
}

async function unpack(packed: Uint8Array): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(packed, { maxOutputLength: MAX_ARCHIVE_BYTES });
  } catch (cause) {
    throw new DecodeError('the archive of a package can not be unpacked', { cause });
  }
}
