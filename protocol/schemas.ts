import * as v from 'valibot';

import { isModuleName, isNodeName, MODULE_RULE } from './names.ts';

/** Schemas of the fields that many messages share. */
export const moduleName = v.pipe(v.string(), v.check(isModuleName, `a module's name is ${MODULE_RULE}`));
export const nodeName = v.pipe(v.string(), v.check(isNodeName, 'not a node name'));
const REVISION = /^[0-9a-f]{64}$/;
export const revision = v.pipe(v.string(), v.regex(REVISION, 'a revision is 64 hex digits'));
/** The header of https://www.w3.org/TR/trace-context/: where something is in a trace. */
export const traceparent = v.pipe(v.string(), v.regex(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/));
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/**
 * A schema that takes what `isWellKnown` accepts as it is, and looks at all else as before. For what comes in thousands: valibot takes three
 * times as long, and copies.
 */
export function takenAsItIs<TSchema extends v.GenericSchema>(
  schema: TSchema,
  isWellKnown: (input: unknown) => input is v.InferOutput<TSchema>,
): TSchema {
  const run: TSchema['~run'] = (dataset, config) =>
    isWellKnown(dataset.value) ? { typed: true, value: dataset.value } : schema['~run'](dataset, config);
  return { ...schema, '~run': run };
}

const runningModule = v.object({
  revision,
  /** The sequence of its head; 0 when it was loaded on this node alone. */
  sequence: count,
  /** The number of calls that ended on this revision since it was loaded; `errors` of them failed. */
  calls: count,
  errors: count,
  /** How many of the calls were HTTP requests. Absent when none was; an earlier node does not say. */
  requests: v.exactOptional(count),
  /** The number of calls that run on it now. */
  inFlight: count,
});

type RunningModules = Record<string, v.InferOutput<typeof runningModule>>;

/** The modules that a node runs, by their names. Each node sends all of them every two seconds. */
export const runningModules = takenAsItIs(v.record(moduleName, runningModule), (input): input is RunningModules => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return false;
  return Object.entries(input).every(([name, module]) => isModuleName(name) && isRunningModule(module));
});

function isRunningModule(input: unknown): boolean {
  if (typeof input !== 'object' || input === null) return false;
  const { revision: digits, sequence, calls, errors, inFlight, requests } = input as Record<string, unknown>;
  const known = requests === undefined ? 5 : 6;
  return (
    Object.keys(input).length === known &&
    isRevision(digits) &&
    isCount(sequence) &&
    isCount(calls) &&
    isCount(errors) &&
    isCount(inFlight) &&
    (requests === undefined || isCount(requests))
  );
}

export function isRevision(value: unknown): boolean {
  return typeof value === 'string' && REVISION.test(value);
}

export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}
