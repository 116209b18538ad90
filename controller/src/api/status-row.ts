import * as v from 'valibot';

import { drainingVersion } from '../../../protocol/messages.ts';
import { count, isCount, isRevision, moduleName, nodeName, revision, takenAsItIs } from '../../../protocol/schemas.ts';
import { isModuleName, isNodeName } from '../../../protocol/names.ts';
import { list } from './validation.ts';

const anyStatusRow = v.object({
  module: moduleName,
  node: nodeName,
  desired: v.nullable(revision),
  running: v.nullable(revision),
  /** Whether the desired revision is a canary's. */
  canary: v.boolean(),
  state: v.picklist([
    /** The desired revision runs. */
    'ok',
    'behind',
    /** The node could not load the desired revision; `detail` has the reason. */
    'refused',
    /** The node is kept off the revision because it brought the node down, and runs what is desired of it instead. */
    'quarantined',
    /** The same, because a push was made without it. */
    'left out',
    /** `compile` loaded it on this node; no head names it. */
    'here only',
    'silent',
  ]),
  detail: v.exactOptional(v.string()),
  /** The number of errors of the running revision since it was loaded: of calls, timers, promises and servers. */
  errors: count,
  /** How often the node has tried the desired revision, and the time until it tries again, milliseconds. */
  attempts: v.exactOptional(count),
  nextAttemptInMs: v.exactOptional(count),
  /** The versions of the module that drain on the node, the oldest first. */
  draining: list(drainingVersion),
});

/** The fields of a row with nothing to say. */
const FIELDS = 8;

/** What should run and what runs of a module on a node. There are thousands, and of most there is nothing to say. */
export const statusRow = takenAsItIs(anyStatusRow, (input): input is v.InferOutput<typeof anyStatusRow> => {
  if (typeof input !== 'object' || input === null || Object.keys(input).length !== FIELDS) return false;
  const { module, node, desired, running, canary, state, errors, draining } = input as Record<string, unknown>;
  return (
    state === 'ok' &&
    running === desired &&
    (desired === null || isRevision(desired)) &&
    typeof module === 'string' &&
    isModuleName(module) &&
    typeof node === 'string' &&
    isNodeName(node) &&
    typeof canary === 'boolean' &&
    isCount(errors) &&
    Array.isArray(draining) &&
    draining.length === 0
  );
});
