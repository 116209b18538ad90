import { statfs } from 'node:fs/promises';

import { UnavailableError } from '../../../protocol/errors.ts';

/** How full the stream and its disk are. */
export interface Storage {
  /** The bytes of the stream, and how many it can have before a push is refused. */
  readonly usedBytes: number;
  readonly maxBytes: number;
  /** The disk with Docker's volumes; null when it is not known. */
  readonly disk: Disk | null;
  /** Why NATS writes nothing, in its words; null when it writes. */
  readonly fault: string | null;
}

export interface Disk {
  readonly usedBytes: number;
  readonly freeBytes: number;
}

/** From this share on there is a warning; from the other one on it is full. */
const WARN_FROM = 0.8;
const FULL_FROM = 0.99;

/** What stays free on the disk: NATS writes nothing at all any more, until its restart, when a write has met a full disk. */
const DISK_RESERVE_BYTES = 64 * 2 ** 20;

/** NATS can't write the stream. */
export class StorageError extends UnavailableError {}

/** The disk of a folder. It is that of the stream as long as Docker has all volumes on one disk. */
export async function diskOf(folder: string): Promise<Disk | null> {
  try {
    const { bsize, blocks, bfree, bavail } = await statfs(folder);
    return { usedBytes: (blocks - bfree) * bsize, freeBytes: bavail * bsize };
  } catch {
    return null;
  }
}

/**
 * Why so many bytes can't be written: which limit or disk is in the way, how full it is, and what to do. Null when they can.
 * Without bytes: why hardly anything can.
 */
export function storageProblem({ usedBytes, maxBytes, disk, fault }: Storage, bytes?: number): string | null {
  if (fault !== null) return faultText(fault);
  const isStreamFull = bytes === undefined ? usedBytes >= maxBytes * FULL_FROM : usedBytes + bytes > maxBytes;
  if (isStreamFull) return `the stream is full: ${streamText(usedBytes, maxBytes)}${needText(bytes)}; ${RAISE}`;
  if (disk !== null && disk.freeBytes < DISK_RESERVE_BYTES + (bytes ?? 0)) {
    return `the disk is full: ${diskText(disk)}${needText(bytes)}; ${MAKE_ROOM}`;
  }
  return null;
}

/** What is nearly full, if something is. */
export function storageWarning({ usedBytes, maxBytes, disk }: Storage): string | null {
  if (usedBytes >= maxBytes * WARN_FROM)
    return `the stream is nearly full: ${streamText(usedBytes, maxBytes)}; ${RAISE}`;
  if (disk !== null && shareOf(disk) >= WARN_FROM) return `the disk is nearly full: ${diskText(disk)}; ${MAKE_ROOM}`;
  return null;
}

/** What a write fault of NATS means, and what to do. Tried with NATS 2.15: after a full disk it writes again only when restarted. */
export function faultText(fault: string): string {
  const isFull = fault.includes('no space left');
  const cause = isFull ? 'the disk of NATS is full, and NATS writes nothing' : "NATS can't write the stream";
  const first = isFull ? "make room on the disk with Docker's volumes" : 'correct it';
  return `${cause} (${fault}); ${first}, then restart NATS, which does not try again by itself: docker compose restart nats`;
}

const RAISE = 'raise STREAM_MAX_MB: STREAM_MAX_MB=4096 docker compose up --detach controller';
const MAKE_ROOM = "make room on the disk with Docker's volumes (docker system df); pushes then work again";

const streamText = (used: number, max: number): string =>
  `${megabytes(used)} of ${megabytes(max)} (${percent(used / max)})`;

const diskText = (disk: Disk): string =>
  `Docker's volumes have ${megabytes(disk.freeBytes)} left (${percent(shareOf(disk))} used)`;

const needText = (bytes: number | undefined): string =>
  bytes === undefined ? '' : `, and this needs ${megabytes(bytes)} more`;

const shareOf = ({ usedBytes, freeBytes }: Disk): number => usedBytes / (usedBytes + freeBytes);

const percent = (share: number): string => `${Math.floor(share * 100)} %`;

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MB`;
