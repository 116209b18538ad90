import * as v from 'valibot';

import { drainingVersion } from './messages.ts';
import { count, moduleName, nodeName, revision } from './schemas.ts';

/** The modules that run on a node, with their exports as they are now. */
export const exportsAnswer = v.object({
  node: nodeName,
  modules: v.record(
    moduleName,
    v.object({
      revision,
      /** The sequence of its head; 0 when it was loaded on this node alone. */
      sequence: count,
      /** When it was loaded, by the node's clock, milliseconds since 1970. */
      loadedAt: count,
      /** `arity`: the number of parameters of a function; null: not a function. */
      exports: v.array(v.object({ name: v.string(), arity: v.nullable(count) })),
    }),
  ),
  /** The versions that drain, those of a module oldest first. */
  draining: v.array(drainingVersion),
});

export type ExportsAnswer = v.InferOutput<typeof exportsAnswer>;

/** An expression of a shell, signed for one process of one node. */
export const evaluateRequest = v.object({
  /** The id of the shell: lines of the same shell share what they keep. */
  session: v.pipe(v.string(), v.uuid()),
  /** CommonJS that exports `run`: a function of the values that the shell keeps. */
  code: v.string(),
  /** How long it can take, milliseconds. */
  timeoutMs: v.pipe(v.number(), v.minValue(1)),
  /** The hash of its package set. */
  packages: v.optional(revision),
  /** What it prints has this id in the log. */
  id: v.optional(v.pipe(v.string(), v.uuid())),
});

/** A shell is still there, or has ended: then nodes release what it keeps. */
export const sessionRequest = v.object({ session: v.pipe(v.string(), v.uuid()), hasEnded: v.boolean() });

export type EvaluateRequest = v.InferOutput<typeof evaluateRequest>;
export type SessionRequest = v.InferOutput<typeof sessionRequest>;
