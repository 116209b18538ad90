import * as v from 'valibot';

import { count, moduleName, revision } from './fields.ts';

export const headSchema = v.object({
  module: moduleName,
  /** The revision that should run; null when the module was removed. */
  revision: v.nullable(revision),
  /** The revision that the head before this one named. */
  previous: v.nullable(revision),
  /** Grows with every head of the module, also when the stream was lost: see {@link nextSequence}. */
  sequence: count,
  /** Who wrote it. */
  author: v.string(),
  /** When it was written, milliseconds since 1970. */
  at: count,
  /** Why: `push`, `rollback`, … */
  note: v.string(),
});

/** Which revision of a module should run: the small ref beside the write-once bundles. */
export type Head = v.InferOutput<typeof headSchema>;

/**
 * The sequence of a new head: above the one before it, and never below the clock, so that nodes which remember a
 * head go on obeying after the stream's disk was lost (a hybrid logical clock, Kulkarni et al. 2014).
 *
 * @param before the sequence of the module's last head, 0 when it has none.
 * @param now milliseconds since 1970.
 */
export function nextSequence(before: number, now: number): number {
  return Math.max(before + 1, now);
}
