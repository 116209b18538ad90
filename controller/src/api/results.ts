import * as v from 'valibot';

import { headResultSchema } from '../../../protocol/head-result.ts';
import { headSchema } from '../../../protocol/head.ts';
import { callAnswer, nodeDescription, purgeAnswer, refusalReason } from '../../../protocol/messages.ts';
import { count, moduleName, nodeName, revision } from '../../../protocol/schemas.ts';
import { list, milliseconds } from './validation.ts';

const silent = v.object({ node: nodeName, status: v.literal('silent') });

const refusal = v.object({
  node: nodeName,
  status: v.literal('refused'),
  reason: v.picklist([...refusalReason.options, 'malformed']),
  detail: v.string(),
});

/** The answer of a node to a push. `ms` counts from the start of the push. */
const nodeOutcome = v.variant('status', [
  v.object({ node: nodeName, status: v.literal('loaded'), ms: milliseconds }),
  /** The node is outside the canary and changed nothing. */
  v.object({ node: nodeName, status: v.literal('kept') }),
  refusal,
  silent,
]);

const pushOutcome = v.picklist([
  /** The heads were written and stand. */
  'committed',
  /** A node refused before the commit; nothing changed on any node. */
  'refused',
  /** A node refused after the commit, so new heads point back. */
  'reverted',
  /** Another controller wrote a head first; nothing of this command changed anything. */
  'overtaken',
  /** Every node was silent; nothing changed. */
  'unanswered',
  /** The canary failed, so new heads point back. */
  'rolled-back',
]);

const pushedModules = list(v.object({ module: moduleName, revision }));

/** Durations: until the head was in the stream, until the nodes answered, and from the first node's switch to the last. */
const commitTimes = { write: milliseconds, commit: milliseconds, skew: milliseconds };

const headChange = {
  outcome: pushOutcome,
  /** One line about the outcome; may be empty. */
  detail: v.string(),
  nodes: list(nodeOutcome),
};

const pushResult = v.object({
  command: v.literal('push'),
  modules: pushedModules,
  ...headChange,
  times: v.object({ compile: milliseconds, prepare: milliseconds, ...commitTimes }),
});

/** The result of a head that was changed without a bundle. */
const headChangeResult = v.object({
  command: v.picklist(['rollback', 'promote', 'remove']),
  modules: list(v.object({ module: moduleName, revision: v.nullable(revision) })),
  ...headChange,
  times: v.object(commitTimes),
});

const dryRunNode = v.variant('status', [
  v.object({ node: nodeName, status: v.literal('would_load') }),
  v.object({ node: nodeName, status: v.literal('not_tried'), detail: v.string() }),
  refusal,
  silent,
]);

const dryRunResult = v.object({ command: v.literal('dry-run'), modules: pushedModules, nodes: list(dryRunNode) });

const compileResult = v.object({
  command: v.literal('compile'),
  module: moduleName,
  revision,
  nodes: list(nodeOutcome),
});

const callResult = v.object({
  command: v.literal('call'),
  call: v.string(),
  /** Whether the user named one node. */
  single: v.boolean(),
  /** Whether the user asked for stacks. */
  stack: v.boolean(),
  nodes: list(v.variant('status', [callAnswer, silent])),
});

const purgeResult = v.object({
  command: v.literal('purge'),
  nodes: list(v.variant('status', [purgeAnswer, silent])),
});

const pingResult = v.object({
  command: v.literal('ping'),
  nodes: list(v.variant('status', [v.object({ node: nodeName, status: v.literal('pong'), ms: milliseconds }), silent])),
});

const nodesResult = v.object({
  command: v.literal('nodes'),
  nodes: list(
    v.variant('status', [
      v.object({ status: v.literal('present'), ...nodeDescription.entries }),
      v.object({ ...silent.entries, container: v.string() }),
    ]),
  ),
});

const statusRow = v.object({
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
    /** `compile` loaded it on this node; no head names it. */
    'here only',
    'silent',
  ]),
  detail: v.exactOptional(v.string()),
});

const statusResult = v.object({ command: v.literal('status'), heads: list(headSchema), nodes: list(statusRow) });

const historyResult = v.object({
  command: v.literal('history'),
  module: moduleName,
  /** Newest first. A null outcome was not written (yet). */
  heads: list(v.object({ ...headSchema.entries, outcome: v.nullable(headResultSchema) })),
});

const rotateResult = v.object({
  command: v.literal('keys rotate'),
  /** The id of the new key. */
  key: v.string(),
  /** Nodes trust the previous keys until this time, milliseconds since 1970. */
  until: milliseconds,
  /** How many records of the stream were signed again. */
  resealed: count,
});

export const resultSchema = v.variant('command', [
  pushResult,
  headChangeResult,
  dryRunResult,
  compileResult,
  callResult,
  purgeResult,
  pingResult,
  nodesResult,
  statusResult,
  historyResult,
  rotateResult,
]);

export type Silent = Readonly<v.InferOutput<typeof silent>>;
export type Refusal = Readonly<v.InferOutput<typeof refusal>>;
export type NodeOutcome = Readonly<v.InferOutput<typeof nodeOutcome>>;
export type PushOutcome = v.InferOutput<typeof pushOutcome>;
export type PushResult = Readonly<v.InferOutput<typeof pushResult>>;
export type HeadChangeResult = Readonly<v.InferOutput<typeof headChangeResult>>;
export type DryRunNode = Readonly<v.InferOutput<typeof dryRunNode>>;
export type DryRunResult = Readonly<v.InferOutput<typeof dryRunResult>>;
export type CompileResult = Readonly<v.InferOutput<typeof compileResult>>;
export type CallResult = Readonly<v.InferOutput<typeof callResult>>;
export type PurgeResult = Readonly<v.InferOutput<typeof purgeResult>>;
export type PingResult = Readonly<v.InferOutput<typeof pingResult>>;
export type NodesResult = Readonly<v.InferOutput<typeof nodesResult>>;
export type StatusRow = Readonly<v.InferOutput<typeof statusRow>>;
export type StatusResult = Readonly<v.InferOutput<typeof statusResult>>;
export type HistoryResult = Readonly<v.InferOutput<typeof historyResult>>;
export type RotateResult = Readonly<v.InferOutput<typeof rotateResult>>;
export type Result = Readonly<v.InferOutput<typeof resultSchema>>;
