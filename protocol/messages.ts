import * as v from 'valibot';

import { count, moduleName, nodeName, revision } from './schemas.ts';
import { MAX_FUNCTION_NAME, MAX_HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL } from './limits.ts';

const heartbeatInterval = v.pipe(count, v.minValue(HEARTBEAT_INTERVAL), v.maxValue(MAX_HEARTBEAT_INTERVAL));

/** Calls an exported function; the arguments are JSON. */
export const callRequest = v.object({
  module: moduleName,
  function: v.pipe(v.string(), v.maxLength(MAX_FUNCTION_NAME)),
  args: v.array(v.unknown()),
});

/** The newest sequence of each module's head; a node that has not seen one of them reads the stream. */
export const digestRequest = v.object({
  heads: v.record(moduleName, count),
  /** How often each node is to tell that it is there, milliseconds; default: {@link HEARTBEAT_INTERVAL}. */
  heartbeatInterval: v.optional(heartbeatInterval),
});

/** A starting node asks whether another container has its name. */
export const claimRequest = v.object({ container: v.string() });

/** Why a node did not take a revision. */
export const refusalReason = v.picklist([
  /** The bundle can't be unpacked, is not what it says it is, or is no JavaScript (OTP: `badfile`). */
  'badfile',
  /** The bundle is neither at hand nor in the stream (OTP: `nofile`). */
  'nofile',
  /** The module threw while it was loaded (OTP: `on_load_failure`). */
  'on_load_failure',
  /** Calls are still running on the version before the current one (OTP: `not_purged`). */
  'not_purged',
  /** The head is older than the one that the node already obeys. */
  'outdated',
  /** The revision has brought this node down before: it blocked the event loop, or took too much memory. */
  'banned',
  /** The node runs as many modules as it may (Erlang: `system_limit`). */
  'system_limit',
]);

const refused = v.object({
  status: v.literal('refused'),
  node: nodeName,
  reason: refusalReason,
  /** One line that says more. */
  detail: v.string(),
});

/** A node has verified and compiled a bundle; nothing of it runs. */
export const prepareAnswer = v.variant('status', [
  v.object({ status: v.literal('prepared'), node: nodeName, revision }),
  refused,
]);

/** A node runs what it was told to. `at`: its clock at the switch, milliseconds since 1970 with fractions. */
export const loadAnswer = v.variant('status', [
  v.object({ status: v.literal('loaded'), node: nodeName, at: v.number() }),
  refused,
]);

/** Tries prepared revisions aside, together, on a copy of the live data; nothing of it stays. */
export const dryRunRequest = v.object({
  modules: v.pipe(v.array(v.object({ module: moduleName, revision })), v.minLength(1)),
});

/** `untried`: the node can't tell without a change to what runs. */
export const dryRunAnswer = v.variant('status', [
  v.object({ status: v.literal('would_load'), node: nodeName }),
  v.object({ status: v.literal('not_tried'), node: nodeName, detail: v.string() }),
  refused,
]);

/** Lets go of a module's old version: only when it is idle (`softPurge`), or in any case (`purge`). */
export const purgeRequest = v.object({ module: moduleName, force: v.boolean() });

/** `busy`: so many calls are running on it, and it was left alone. */
export const purgeAnswer = v.variant('status', [
  v.object({ status: v.literal('purged'), node: nodeName }),
  v.object({ status: v.literal('busy'), node: nodeName, calls: count }),
]);

export const pingAnswer = v.object({ node: nodeName, container: v.string() });

/** Why a call gave no value. */
export const callFailure = v.picklist([
  /** No such module or function on the node (Erlang: `undef`). */
  'undef',
  /** The function threw, or its promise was rejected. */
  'exception',
  /** JSON can't carry the value. */
  'badvalue',
]);

export const callAnswer = v.variant('status', [
  v.object({
    status: v.literal('value'),
    node: nodeName,
    /** JSON text of the value; absent when the function returned undefined. */
    json: v.optional(v.string()),
    revision,
    /** What the module printed during the call, a line each. */
    output: v.array(v.string()),
  }),
  v.object({
    status: v.literal('error'),
    node: nodeName,
    failure: callFailure,
    /** The error's class (`TypeError`) for an exception, else the failure itself. */
    type: v.string(),
    message: v.string(),
    /** The error's stack, in the modules' own files. */
    stack: v.optional(v.string()),
    output: v.array(v.string()),
  }),
]);

/** What a node says of itself: the answer to `describe`, and every event. */
export const nodeDescription = v.object({
  node: nodeName,
  container: v.string(),
  pid: count,
  /** When the process started, milliseconds since 1970. */
  startedAt: count,
  uptimeSeconds: count,
  /** What the process alone holds; the pages of Node.js's own file, which processes share, are not in it. */
  memoryBytes: count,
  modules: v.record(
    moduleName,
    v.object({
      revision,
      /** The sequence of the head that put it there; 0 when it was loaded on this node alone. */
      sequence: count,
      /** Calls that ended on this revision since it was loaded, and how many of them failed. */
      calls: count,
      errors: count,
      /** Calls that are running on it now. */
      inFlight: count,
      /** The version before, while calls are running on it. */
      old: v.nullable(v.object({ revision, inFlight: count })),
    }),
  ),
  /** The modules whose newest head this node could not obey; `sequence` is that head's. */
  refusals: v.record(moduleName, v.object({ sequence: count, reason: refusalReason, detail: v.string() })),
  /** The longest turn of the event loop since the last presence event, milliseconds. */
  loopDelay: count,
  /** What was refused since the process started because no trusted key has sealed it. */
  rejected: count,
  /** In a presence event: how long until the next, milliseconds; default: {@link HEARTBEAT_INTERVAL}. */
  heartbeatInterval: v.optional(heartbeatInterval),
});

/** A node was sent what no trusted key has sealed for where it was found. */
export const rejectedEvent = v.object({
  node: nodeName,
  fault: v.string(),
  subject: v.nullable(v.string()),
  /** How many there were since the last event of the kind. */
  count,
});

/** Which containers of the cluster the engine knows, running or not. */
export const rosterAnswer = v.variant('status', [
  v.object({
    status: v.literal('containers'),
    containers: v.array(
      v.object({
        id: v.string(),
        name: v.string(),
        /** Docker's word for it: `running`, `paused`, `exited`, … */
        state: v.string(),
        /** When it was made, milliseconds since 1970. */
        createdAt: count,
      }),
    ),
  }),
  v.object({ status: v.literal('unavailable'), detail: v.string() }),
]);

/** Something that a node could not make sense of; the fault is the sender's. */
export const malformedAnswer = v.object({ status: v.literal('malformed'), node: nodeName, detail: v.string() });

export type CallRequest = v.InferOutput<typeof callRequest>;
export type DigestRequest = v.InferOutput<typeof digestRequest>;
export type RefusalReason = v.InferOutput<typeof refusalReason>;
export type PrepareAnswer = v.InferOutput<typeof prepareAnswer>;
export type LoadAnswer = v.InferOutput<typeof loadAnswer>;
export type DryRunAnswer = v.InferOutput<typeof dryRunAnswer>;
export type PurgeRequest = v.InferOutput<typeof purgeRequest>;
export type PurgeAnswer = v.InferOutput<typeof purgeAnswer>;
export type CallFailure = v.InferOutput<typeof callFailure>;
export type CallAnswer = v.InferOutput<typeof callAnswer>;
export type NodeDescription = v.InferOutput<typeof nodeDescription>;
export type RejectedEvent = v.InferOutput<typeof rejectedEvent>;
export type RosterAnswer = v.InferOutput<typeof rosterAnswer>;
export type MalformedAnswer = v.InferOutput<typeof malformedAnswer>;
