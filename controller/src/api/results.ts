import * as v from 'valibot';

import { auditEntrySchema } from '../../../protocol/history/audit-entry.ts';
import { headResultSchema } from '../../../protocol/history/head-result.ts';
import { headSchema } from '../../../protocol/head.ts';
import { errorsAnswer } from '../../../protocol/logs.ts';
import { keptOffCause, keptOffSchema } from '../../../protocol/kept-off.ts';
import { callAnswer, nodeDescription, purgeAnswer, refusalReason } from '../../../protocol/messages.ts';
import { count, moduleName, nodeName, revision } from '../../../protocol/schemas.ts';
import { exportsAnswer } from '../../../protocol/shell-messages.ts';
import { checked } from './checked.ts';
import { statusRow } from './status-row.ts';
import { list, milliseconds } from './validation.ts';
import { credentialsSchema } from '../../../protocol/operators/credentials.ts';
import { operatorName, operatorSchema } from '../../../protocol/operators/operator.ts';

/** `detail` says why, if that is known. */
const silent = v.object({ node: nodeName, status: v.literal('silent'), detail: v.exactOptional(v.string()) });

const refusal = v.object({
  node: nodeName,
  status: v.literal('refused'),
  reason: v.picklist([...refusalReason.options, 'malformed']),
  detail: v.string(),
});

/**
 * The answer of a node to a push. `ms` counts from the start of the push. `waitedMs`: the longest time that a call has waited for a
 * `codeChange`. `warnings`: what the authors of the modules should know, a sentence each. `removed`: the node has no more of the modules.
 */
const nodeOutcome = v.variant('status', [
  v.object({
    node: nodeName,
    status: v.literal('loaded'),
    ms: milliseconds,
    waitedMs: v.optional(milliseconds),
    warnings: v.optional(list(v.string())),
    removed: v.exactOptional(v.literal(true)),
  }),
  /** The node changed nothing: it is outside the canary, or kept off the revision, and `detail` says why. */
  v.object({ node: nodeName, status: v.literal('kept'), detail: v.exactOptional(v.string()) }),
  refusal,
  silent,
]);

const pushOutcome = v.picklist([
  /** The heads were written and stand. */
  'committed',
  /** The heads name these revisions already, and every node that answered runs them; nothing was written. */
  'unchanged',
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
  /** The canary is open: nothing failed, but too little was seen to tell. */
  'undecided',
  /** Another head has replaced the canary while it was watched. */
  'superseded',
]);

const pushedModules = list(v.object({ module: moduleName, revision }));

/** Durations: until the head was in the stream, until the nodes answered, and from the first node's word that it has switched to the last one's. */
const commitTimes = { write: milliseconds, commit: milliseconds, skew: milliseconds };

const headChange = {
  outcome: pushOutcome,
  /** One line about the outcome; may be empty. */
  detail: v.string(),
  nodes: list(nodeOutcome),
};

/** The machine that a node is on. Absent when there is only one. */
const onMachine = { machine: v.exactOptional(v.string()) };

/** A module whose sources have changed since its last push, and which: their paths beside the modules folder. */
const changedModule = v.object({ module: moduleName, files: list(v.string()) });

export const pushResultSchema = v.object({
  command: v.literal('push'),
  modules: pushedModules,
  /** Those of the modules that ran their revision already, and that nothing was written for. */
  unchanged: list(moduleName),
  /** Other modules that have a source in common with these, which has changed since their own push. */
  affected: list(changedModule),
  ...headChange,
  times: v.object({ compile: milliseconds, prepare: milliseconds, ...commitTimes }),
});

/** The result of each command. */
export const resultSchema = v.variant('command', [
  pushResultSchema,
  /** The heads were changed without a bundle. */
  v.object({
    command: v.picklist(['rollback', 'promote', 'remove', 'restore', 'lift', 'repair']),
    modules: list(v.object({ module: moduleName, revision: v.nullable(revision) })),
    ...headChange,
    times: v.object(commitTimes),
  }),
  v.object({
    command: v.literal('dry-run'),
    modules: pushedModules,
    nodes: list(
      v.variant('status', [
        v.object({ node: nodeName, status: v.literal('would_load') }),
        v.object({ node: nodeName, status: v.literal('not_tried'), detail: v.string() }),
        refusal,
        silent,
      ]),
    ),
  }),
  v.object({ command: v.literal('compile'), module: moduleName, revision, nodes: list(nodeOutcome) }),
  v.object({
    command: v.literal('call'),
    call: v.string(),
    /** Whether the user named one node. */
    single: v.boolean(),
    /** Whether the user asked for stacks. */
    stack: v.boolean(),
    nodes: list(v.variant('status', [callAnswer, silent])),
  }),
  v.object({ command: v.literal('purge'), nodes: list(v.variant('status', [purgeAnswer, silent])) }),
  /** What nodes remember of the errors of a module. */
  v.object({
    command: v.literal('errors'),
    module: moduleName,
    nodes: list(v.variant('status', [v.object({ status: v.literal('answered'), ...errorsAnswer.entries }), silent])),
  }),
  v.object({
    command: v.literal('evaluate'),
    /** The names that the line has declared. */
    names: list(v.string()),
    nodes: list(v.variant('status', [callAnswer, silent])),
  }),
  v.object({ command: v.literal('session'), nodes: list(silent) }),
  v.object({
    command: v.literal('exports'),
    /** The modules that have sources. */
    sources: list(moduleName),
    nodes: list(v.variant('status', [v.object({ status: v.literal('present'), ...exportsAnswer.entries }), silent])),
  }),
  v.object({
    command: v.literal('ping'),
    nodes: list(
      v.variant('status', [v.object({ node: nodeName, status: v.literal('pong'), ms: milliseconds }), silent]),
    ),
  }),
  v.object({
    command: v.literal('nodes'),
    /** How far the controller's clock is ahead of NATS's, milliseconds; negative: behind. Nothing depends on it. */
    controllerClockOffsetMs: v.exactOptional(v.number()),
    nodes: list(
      v.variant('status', [
        v.object({
          status: v.literal('present'),
          ...nodeDescription.entries,
          /** The group that it is in: the service of the same name. The first group of the configuration is the service `node`. */
          group: v.string(),
          ...onMachine,
          /** The revisions of heads that the node is kept off. */
          keptOff: v.exactOptional(list(v.object({ module: moduleName, revision, cause: keptOffCause }))),
          /** The same of the node's clock. */
          clockOffsetMs: v.exactOptional(v.number()),
        }),
        v.object({ ...silent.entries, container: v.string(), group: v.string(), ...onMachine }),
      ]),
    ),
  }),
  v.object({ command: v.literal('names'), names: list(v.string()) }),
  /** The versions of Hotcast: of the command line, the controller and the nodes; null: a node that does not say. */
  v.object({
    command: v.literal('version'),
    cli: v.string(),
    /** null: none was asked, so nothing is known of it and of the nodes. */
    controller: v.nullable(v.string()),
    nodes: list(
      v.variant('status', [
        v.object({ node: nodeName, status: v.literal('present'), version: v.nullable(v.string()) }),
        silent,
      ]),
    ),
  }),
  v.object({ command: v.literal('doctor'), checks: list(checked) }),
  v.object({
    command: v.literal('status'),
    heads: list(headSchema),
    nodes: list(statusRow),
    changed: list(changedModule),
    /** The nodes that did not answer. They have rows too, one for each module that is known. */
    silent: list(nodeName),
    /** The modules of whose heads the stream has no bundle that this release can read: nodes that start lack them. */
    unreadable: v.exactOptional(list(moduleName)),
    /** The bytes of the stream, and the most that it can have; those of the disk, if known; why NATS writes nothing. */
    storage: v.exactOptional(
      v.object({
        usedBytes: count,
        maxBytes: count,
        disk: v.nullable(v.object({ usedBytes: count, freeBytes: count })),
        fault: v.nullable(v.string()),
      }),
    ),
  }),
  v.object({
    command: v.literal('bans'),
    /** The newest first. `isCurrent`: the module's head asks the node's part of the fleet to run this revision. */
    bans: list(v.object({ module: moduleName, ...keptOffSchema.entries, isCurrent: v.boolean() })),
  }),
  v.object({
    command: v.literal('history'),
    /** null: all modules. */
    module: v.nullable(moduleName),
    /** Newest first. `outcome`: what the commit saw; null: not written (yet). `later`: what was seen after it. */
    heads: list(
      v.object({ ...headSchema.entries, outcome: v.nullable(headResultSchema), later: list(headResultSchema) }),
    ),
  }),
  /** What was done to the cluster, newest first. */
  v.object({ command: v.literal('audit'), entries: list(auditEntrySchema) }),
  /** The events were printed before it. `position`: of the last one, from which to go on. */
  v.object({ command: v.literal('events'), position: count }),
  /** What came of a change, as the stream has it. */
  v.object({
    command: v.literal('result'),
    /** The id of the change. */
    change: v.string(),
    outcome: v.picklist([
      'committed',
      'reverted',
      /** The heads are written, and the nodes have not all answered yet. */
      'unfinished',
      /** No head of the change was found. */
      'none',
    ]),
    modules: list(v.object({ module: moduleName, revision: v.nullable(revision), canary: v.boolean() })),
    /** How many nodes had loaded, refused and been silent when the commit ended. */
    loaded: count,
    refused: count,
    silent: count,
  }),
  /** `credentials`: the private key is in them alone. */
  v.object({ command: v.literal('operator add'), credentials: credentialsSchema, may: operatorSchema.entries.may }),
  v.object({ command: v.literal('operator revoke'), name: operatorName }),
  v.object({ command: v.literal('operator list'), operators: list(operatorSchema) }),
  v.object({
    command: v.literal('keys rotate'),
    /** The id of the new key. */
    key: v.string(),
    /** The ids of those that nodes trust beside it. */
    previous: v.optional(v.array(v.string()), []),
    /** Nodes trust the previous keys until this time, milliseconds since 1970. */
    until: milliseconds,
    /** How many records of the stream were signed again. */
    resealed: count,
  }),
  v.object({
    command: v.literal('keys revoke'),
    /** The id of the key that nobody believes any more. */
    key: v.string(),
  }),
]);

export type Silent = Readonly<v.InferOutput<typeof silent>>;
export type Refusal = Readonly<v.InferOutput<typeof refusal>>;
export type NodeOutcome = Readonly<v.InferOutput<typeof nodeOutcome>>;
export type ChangedModule = Readonly<v.InferOutput<typeof changedModule>>;
export type StatusRow = Readonly<v.InferOutput<typeof statusRow>>;
export type Result = Readonly<v.InferOutput<typeof resultSchema>>;

/** The result of one command. Some commands share a result. */
export type ResultOf<C extends Result['command']> = Exclude<
  Result,
  { readonly command: Exclude<Result['command'], C> }
>;
export type PushResult = ResultOf<'push'>;
export type HeadChangeResult = ResultOf<'rollback' | 'promote' | 'remove' | 'restore' | 'lift' | 'repair'>;
export type CallResult = ResultOf<'call'>;
export type NodesResult = ResultOf<'nodes'>;
