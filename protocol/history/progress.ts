import * as v from 'valibot';

import { whyEntries } from './why.ts';
import { count, moduleName, nodeName, revision } from '../schemas.ts';

/**
 * How far a command has come that changes the fleet. The controller publishes it for whoever looks, and reads it never. The audit has
 * what stays of it.
 */
export const progressSchema = v.variant('step', [
  v.object({
    step: v.literal('started'),
    /** The id of the change. */
    change: v.string(),
    command: v.string(),
    author: v.string(),
    /** The modules that the command names; none when it finds them itself. */
    modules: v.array(v.string()),
    ...whyEntries,
  }),
  v.object({
    step: v.literal('phase'),
    change: v.string(),
    /** `compile`, `prepare`, `commit`, … */
    phase: v.string(),
    answered: v.number(),
    expected: v.number(),
    /** The nodes that have answered since the last message of this phase. */
    nodes: v.array(nodeName),
  }),
  v.object({
    step: v.literal('ended'),
    change: v.string(),
    modules: v.array(v.object({ module: moduleName, revision: v.nullable(revision) })),
    /** The outcome of the result, or `failed`. */
    outcome: v.string(),
    detail: v.string(),
    ms: count,
    /** How long each phase took, milliseconds. `skew`: from the first node that switched to the last one. */
    times: v.optional(v.record(v.string(), v.number()), {}),
    /** How many nodes refused, by the reason. */
    refusals: v.optional(v.record(v.string(), count), {}),
    /** What each node made of it: `loaded`, `refused`, `silent`, … */
    nodes: v.record(v.string(), v.array(nodeName)),
  }),
]);

export type Progress = Readonly<v.InferOutput<typeof progressSchema>>;
