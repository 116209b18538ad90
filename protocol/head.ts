import * as v from 'valibot';

import { count, moduleName, revision } from './schemas.ts';
import { inScope, canaryScope } from './canary-scope.ts';

const canarySchema = v.object({
  /** The revision that runs in the scope; everybody else runs the head's own. */
  revision,
  scope: canaryScope,
  /** More failed calls than this on the canary's revision end it. */
  maxErrors: count,
});

export const headSchema = v.object({
  module: moduleName,
  /** The revision that should run; null when the module was removed. */
  revision: v.nullable(revision),
  /** A newer revision on trial in a part of the fleet. */
  canary: v.nullable(canarySchema),
  /** Purge an old version on which calls are still running, rather than wait for them. */
  force: v.boolean(),
  /** Grows with every head of the module, also when the stream was lost: see {@link nextSequence}. */
  sequence: count,
  /** What wrote it: heads of one push share it, and are obeyed together. */
  push: v.string(),
  /** The push that it points back from, because a node refused that; null for every other head. */
  revertOf: v.nullable(v.string()),
  /** Who wrote it. */
  author: v.string(),
  /** When it was written, milliseconds since 1970. */
  at: count,
  /** Why: `push`, `rollback`, … */
  note: v.string(),
});

/** Which revision of a module should run: the small ref beside the write-once bundles. */
export type Head = v.InferOutput<typeof headSchema>;

/** A revision on trial in a part of the fleet. */
export type Canary = v.InferOutput<typeof canarySchema>;

/** What a head asks of one node; null: not to have the module. */
export function desiredRevision(head: Head, node: string): string | null {
  return head.canary !== null && inScope(head.canary.scope, node) ? head.canary.revision : head.revision;
}

/** Every revision that a head names. */
export function revisionsOf({ revision: main, canary }: Head): string[] {
  return [main, canary?.revision].filter(each => typeof each === 'string');
}

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
