import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

import * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { count } from '../../../protocol/schemas.ts';
import { replaceFile } from '../../../shared/files.ts';

/** A node that restarts so often within this time, and blames no module, restarts without end (milliseconds). */
export const LOOP_RESTARTS = 3;
export const LOOP_MS = 600_000;

/** The maximum number of restarts that are kept. */
const MAX_KEPT = 20;

const restartsSchema = v.object({
  /** When the node restarted because of itself and no module was to blame, milliseconds since 1970. */
  at: v.array(count),
  /** The memory of the process while it is about to be ended for it (MB), otherwise null. */
  alarmMb: v.nullable(v.number()),
});

/** What a node remembers of its restarts. */
export type Restarts = v.InferOutput<typeof restartsSchema>;

export const NO_RESTARTS: Restarts = { at: [], alarmMb: null };

/** Adds a restart. It ends an alarm. */
export function withRestart(restarts: Restarts, now: number): Restarts {
  return { at: [...restarts.at, now].slice(-MAX_KEPT), alarmMb: null };
}

/** Whether the node restarts without end. */
export function isLoop({ at }: Restarts, now: number): boolean {
  return at.filter(restart => now - restart <= LOOP_MS).length >= LOOP_RESTARTS;
}

/** Reads the file that {@link writeRestarts} wrote; no restarts when it does not exist or can't be read. */
export function readRestarts(path: string): Restarts {
  try {
    return decode(restartsSchema, readFileSync(path));
  } catch {
    return NO_RESTARTS;
  }
}

/** Writes the file as a whole. @throws the error of the file system */
export function writeRestarts(path: string, restarts: Restarts): void {
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, encode(restarts));
}

/**
 * Reads the file when a node starts. An alarm in it says that the last process ended without a word: it counts as a restart.
 *
 * @returns also the memory at that alarm (MB); null when there was none.
 * @throws the error of the file system
 */
export function takeRestarts(path: string, now: number): { restarts: Restarts; alarmMb: number | null } {
  const before = readRestarts(path);
  if (before.alarmMb === null) return { restarts: before, alarmMb: null };
  const restarts = withRestart(before, now);
  writeRestarts(path, restarts);
  return { restarts, alarmMb: before.alarmMb };
}
