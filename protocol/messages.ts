import * as v from 'valibot';

import { errorEntries } from './error-description.ts';
import { groupsSchema } from './placement/groups.ts';
import { count, moduleName, nodeName, revision, runningModules, traceparent } from './schemas.ts';
import { MAX_FUNCTION_NAME, MAX_FUNCTION_PATH, MAX_HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL } from './limits.ts';
import { isEncodedValue } from './values/decode.ts';
import { protocolVersion } from './version.ts';

const heartbeatInterval = v.pipe(count, v.minValue(HEARTBEAT_INTERVAL), v.maxValue(MAX_HEARTBEAT_INTERVAL));

const functionName = v.pipe(v.string(), v.maxLength(MAX_FUNCTION_NAME));

/** Calls an exported function. */
export const callRequest = v.object({
  module: moduleName,
  /** The name of the export. */
  function: functionName,
  /** The properties below the export: `['f']` calls its method `f`. */
  path: v.optional(v.pipe(v.array(functionName), v.maxLength(MAX_FUNCTION_PATH))),
  /** The arguments, as values/encode.ts encodes them. */
  args: v.array(v.unknown()),
  /** What it prints has this id in the log. */
  id: v.optional(v.pipe(v.string(), v.uuid())),
  /** The span of the caller, which the module can read. */
  traceparent: v.exactOptional(traceparent),
});

/** The sequence of each module's newest head. A node that has not seen one of them reads the stream. */
export const digestRequest = v.object({
  /** The version that the controller speaks, see version.ts. */
  protocol: v.exactOptional(count),
  heads: v.record(moduleName, count),
  /** The number of the newest list of keys; default: there is none. */
  keys: v.optional(count),
  /** The interval of the nodes' heartbeats, milliseconds; default: {@link HEARTBEAT_INTERVAL}. */
  heartbeatInterval: v.optional(heartbeatInterval),
  /** The modules whose newest head a node can still refuse. Nodes keep the data from before its `codeChange`. */
  revertible: v.optional(v.array(moduleName)),
});

/** A starting node asks whether another container has its name. */
export const claimRequest = v.object({ container: v.string() });

/** Why a node refused a revision. */
export const refusalReason = v.picklist([
  /** The bundle can't be unpacked, has another revision, or is no JavaScript (OTP: `badfile`). */
  'badfile',
  /** The bundle, or a package that it needs, is neither on the node nor in the stream (OTP: `nofile`). */
  'nofile',
  /** The module threw while it was loaded (OTP: `on_load_failure`). */
  'on_load_failure',
  /** As many earlier versions drain as the node allows (OTP: `not_purged`). */
  'not_purged',
  /** The node already has a newer head. */
  'outdated',
  /** The revision made this node restart before: it blocked the event loop, or took too much memory. */
  'banned',
  /** The node has no room: too many modules, too little memory, or restarts without end (Erlang: `system_limit`). */
  'system_limit',
]);

/** What a banned revision did: it blocked the event loop, or took too much memory. Absent before version 0.3. */
export const banCause = v.picklist(['stalled', 'memory']);

const refused = v.object({
  status: v.literal('refused'),
  node: nodeName,
  reason: refusalReason,
  cause: v.exactOptional(banCause),
  /** One line with the details. */
  detail: v.string(),
});

/** The first of two answers to a bundle or a load: the node fetches the packages that the bundle uses, which can take long. */
export const fetchingAnswer = v.object({ status: v.literal('fetching'), node: nodeName });

/** Asks for the newest heads that a node has seen, of these modules, where they are above these sequences. */
export const headsRequest = v.object({ above: v.record(moduleName, count) });

/** Heads in their envelopes, as base64: what a node says of them has the controller's own signature. */
export const headsAnswer = v.object({ node: nodeName, heads: v.record(moduleName, v.string()) });

/**
 * The answer to a bundle. `prepared`: the node has verified and compiled it; nothing of it runs. `newerHead`: as in
 * {@link headsAnswer}, where the node has seen a head above the sequence that the bundle's header names (`AFTER` in subjects.ts).
 */
export const prepareAnswer = v.variant('status', [
  v.object({ status: v.literal('prepared'), node: nodeName, revision, newerHead: v.exactOptional(v.string()) }),
  refused,
]);

/**
 * The answer to a commit or a load. `waitedMs`: the longest time that a call has waited for a `codeChange`. `warnings`: what the
 * authors of the modules should know, a sentence each.
 */
export const loadAnswer = v.variant('status', [
  v.object({
    status: v.literal('loaded'),
    node: nodeName,
    waitedMs: v.optional(v.number()),
    warnings: v.optional(v.array(v.string())),
  }),
  refused,
]);

/** Loads prepared revisions together, on a copy of the live data, and discards the result. */
export const dryRunRequest = v.object({
  modules: v.pipe(
    v.array(v.object({ module: moduleName, revision, groups: v.exactOptional(groupsSchema) })),
    v.minLength(1),
  ),
});

/** `not_tried`: the node can't tell without changing what runs. */
export const dryRunAnswer = v.variant('status', [
  v.object({ status: v.literal('would_load'), node: nodeName }),
  v.object({ status: v.literal('not_tried'), node: nodeName, detail: v.string() }),
  refused,
]);

/** An earlier version on which calls still run. */
export const drainingVersion = v.object({
  module: moduleName,
  revision,
  /** When it was replaced or its module removed, by the node's clock, milliseconds since 1970. */
  since: count,
  /** How long ago that was, milliseconds. A node of before version 0.3 does not say. */
  ageMs: v.exactOptional(count),
  /** The number of calls that run on it; calls of other modules that can be in its code count too. */
  inFlight: count,
  /** The call that runs for the longest time: `demo.add`, `GET /demo/events`. */
  heldBy: v.string(),
});

/** Purges the draining versions of a module: those that are idle (`softPurge`), or all (`force`, `purge`). */
export const purgeRequest = v.object({ module: moduleName, force: v.boolean() });

/** `busy`: `calls` calls run on draining versions, which were not purged. `failedCalls`: the calls that a purge has ended. */
export const purgeAnswer = v.variant('status', [
  v.object({ status: v.literal('purged'), node: nodeName, failedCalls: v.exactOptional(count) }),
  v.object({
    status: v.literal('busy'),
    node: nodeName,
    calls: count,
    draining: v.optional(v.array(drainingVersion), []),
  }),
]);

/** `processId`: a random id of the node's process. A command to load is for one process. */
export const pingAnswer = v.object({
  node: nodeName,
  container: v.string(),
  processId: v.exactOptional(v.string()),
  protocol: v.exactOptional(count),
});

/** Why a call returned no value. */
export const callFailure = v.picklist([
  /** No such module or function on the node (Erlang: `undef`). */
  'undef',
  /** The function threw, or its promise was rejected. */
  'exception',
  /** The value is too large. */
  'badvalue',
]);

export const callAnswer = v.variant('status', [
  v.object({
    status: v.literal('value'),
    node: nodeName,
    /** The value as JSON text, as values/encode.ts encodes it; absent when the function returned undefined. */
    json: v.optional(v.pipe(v.string(), v.check(isEncodedValue, 'not an encoded value'))),
    revision,
    /** The lines that the module printed during the call. */
    output: v.array(v.string()),
  }),
  v.object({
    status: v.literal('error'),
    node: nodeName,
    failure: callFailure,
    /** The error, mapped to the sources of the modules. Its type is the failure if that is no exception. */
    ...errorEntries(),
    output: v.array(v.string()),
  }),
]);

/** The state of a node: the answer to `describe`, and the content of its events. */
export const nodeDescription = v.object({
  node: nodeName,
  /** The version that the node speaks, see version.ts. */
  protocol: protocolVersion,
  container: v.string(),
  /** The group that its configuration names, '' for none. Its name says which one it is in. An earlier node does not know groups. */
  group: v.exactOptional(v.string()),
  /** The version of Hotcast. A node of before version 0.3 does not say. */
  version: v.exactOptional(v.pipe(v.string(), v.maxLength(64))),
  pid: count,
  /** When the process started, milliseconds since 1970. */
  startedAt: count,
  uptimeSeconds: count,
  /** The node's clock when it made this description, milliseconds since 1970. A node of before version 0.3 does not say. */
  clock: v.exactOptional(count),
  /** The private memory of the process, without the pages of Node.js's program, which processes share. */
  memoryBytes: count,
  modules: runningModules,
  /** The versions that drain, those of a module oldest first. A node of before version 0.2 does not say. */
  draining: v.optional(v.array(drainingVersion), []),
  /** The modules whose newest head this node refused; `sequence` is that head's. */
  refusals: v.record(
    moduleName,
    v.object({
      sequence: count,
      reason: refusalReason,
      cause: v.exactOptional(banCause),
      detail: v.string(),
      /** How often the node has tried the head; absent when it does not try it again. */
      attempts: v.optional(count),
      /** The time until the node tries again, if nothing that the module imports is loaded before, milliseconds. */
      nextAttemptInMs: v.optional(count),
    }),
  ),
  /** The modules whose newest head in the stream this node can't read, and why. Absent when there is none. */
  unreadable: v.exactOptional(v.record(moduleName, v.string())),
  /**
   * What versions that have ended have left open in packages, by their names (`demo@3f2a9c81b0d4`): pending timers, and connections to
   * other processes. Absent when nothing is left.
   */
  leftBehind: v.exactOptional(v.record(v.string(), v.object({ timers: count, sockets: count }))),
  /**
   * What the versions that run have open, by their names: pending timers, and connections to other processes. Versions with nothing open
   * are left out. Only in the answer to `describe`.
   */
  owned: v.exactOptional(v.record(v.string(), v.object({ timers: count, sockets: count }))),
  /** The longest turn of the event loop since the last heartbeat, milliseconds. */
  loopDelay: count,
  /** The number of messages that were rejected since the process started: no trusted key has signed them. */
  rejected: count,
  /** Whether a debugger is attached. The watchdog leaves the node alone. */
  debugged: v.optional(v.boolean()),
  /** In a heartbeat: the time until the next one, milliseconds; default: {@link HEARTBEAT_INTERVAL}. */
  heartbeatInterval: v.optional(heartbeatInterval),
  /** In a goodbye: the time until the process ends at the latest, milliseconds. */
  leavesWithinMs: v.optional(count),
  /** In a goodbye: no answer of the node comes after it. The first goodbye of a stop comes before the answers of calls in flight. */
  hasEnded: v.optional(v.boolean()),
});

/** A node rejected a message: no trusted key has signed it for its subject. */
export const rejectedEvent = v.object({
  node: nodeName,
  fault: v.string(),
  subject: v.nullable(v.string()),
  /** The number of such messages since the last event of the kind. */
  count,
});

/** The node containers of the cluster, in any state. `id`: '' when the roster does not know it. */
export const rosterAnswer = v.variant('status', [
  v.object({
    status: v.literal('containers'),
    /** The version that the roster speaks, see version.ts. */
    protocol: v.exactOptional(count),
    containers: v.array(
      v.object({
        id: v.string(),
        name: v.string(),
        /** The name of its node, see {@link nodeNameOf}. An earlier roster does not say. */
        node: v.exactOptional(nodeName),
        /** The service of its node, see `serviceOf`. An earlier roster does not say. */
        group: v.exactOptional(v.string()),
        /** Docker's state: `running`, `paused`, `exited`, … */
        state: v.string(),
        /** When it was created, milliseconds since 1970. Absent when the roster does not know. */
        createdAt: v.exactOptional(count),
        /** The machine that it is on. Absent when there is only one. */
        machine: v.exactOptional(v.string()),
        /** What the engine said of its last start; differs for each start. Absent when the roster has seen none. */
        lastStart: v.exactOptional(v.string()),
      }),
    ),
    /** The containers that run beside another one of the same name, which is the member: that of a lost machine, for example. */
    duplicates: v.exactOptional(
      v.array(v.object({ id: v.string(), name: v.string(), node: nodeName, machine: v.exactOptional(v.string()) })),
    ),
    /** The machines that did not answer. */
    unreachable: v.exactOptional(v.array(v.string())),
  }),
  v.object({ status: v.literal('unavailable'), detail: v.string() }),
]);

/**
 * Asks the roster which node has an address.
 *
 * `server`: the name of the NATS server that it is connected to. Containers of two machines can have the same address.
 */
export const holderRequest = v.object({ address: v.string(), server: v.exactOptional(v.string()) });

/** `duplicate`: another container is the node that this one is called after. `unknown`: none of the cluster has the address. */
export const holderAnswer = v.variant('status', [
  v.object({ status: v.literal('member'), node: nodeName }),
  v.object({ status: v.literal('duplicate'), node: nodeName }),
  v.object({ status: v.literal('unknown') }),
  v.object({ status: v.literal('unavailable'), detail: v.string() }),
]);

/** The answer to a request that the node could not decode. */
export const malformedAnswer = v.object({ status: v.literal('malformed'), node: nodeName, detail: v.string() });

export type HeadsRequest = v.InferOutput<typeof headsRequest>;
export type HeadsAnswer = v.InferOutput<typeof headsAnswer>;
export type CallRequest = v.InferOutput<typeof callRequest>;
export type DigestRequest = v.InferOutput<typeof digestRequest>;
export type BanCause = v.InferOutput<typeof banCause>;
export type RefusalReason = v.InferOutput<typeof refusalReason>;
export type PrepareAnswer = v.InferOutput<typeof prepareAnswer>;
export type FetchingAnswer = v.InferOutput<typeof fetchingAnswer>;
export type LoadAnswer = v.InferOutput<typeof loadAnswer>;
export type DryRunAnswer = v.InferOutput<typeof dryRunAnswer>;
export type PurgeAnswer = v.InferOutput<typeof purgeAnswer>;
export type CallFailure = v.InferOutput<typeof callFailure>;
export type CallAnswer = v.InferOutput<typeof callAnswer>;
export type DrainingVersion = v.InferOutput<typeof drainingVersion>;
export type NodeDescription = v.InferOutput<typeof nodeDescription>;
export type RejectedEvent = v.InferOutput<typeof rejectedEvent>;
export type RosterAnswer = v.InferOutput<typeof rosterAnswer>;
export type HolderRequest = v.InferOutput<typeof holderRequest>;
export type HolderAnswer = v.InferOutput<typeof holderAnswer>;
export type MalformedAnswer = v.InferOutput<typeof malformedAnswer>;
