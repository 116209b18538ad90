import * as v from 'valibot';

import { isModuleName, MODULE_RULE } from '../../../protocol/names.ts';
import { count } from '../../../protocol/schemas.ts';
import { list, milliseconds } from './validation.ts';

export type { OnReport, Report } from './report.ts';

/** The longest command, in bytes of JSON. A call with the largest arguments (1 MiB) fits, even if many are escaped. */
export const MAX_COMMAND_BYTES = 4 * 1024 * 1024;

/** A module's name. A user reads the message, so it is a whole sentence. */
const module = v.pipe(
  v.string(),
  v.check(isModuleName, ({ input }) => `${JSON.stringify(input)} is not a module name: it must be ${MODULE_RULE}`),
);

const modules = v.pipe(
  list(module),
  v.check(names => names.length > 0, 'no module is named'),
  v.check(names => new Set(names).size === names.length, 'a module is named twice'),
);

const common = {
  /** The command fails unless the controller has this cookie; null: any. */
  cookie: v.nullable(v.string()),
  /** How long to wait for the nodes, in each phase of the command (milliseconds). */
  timeoutMs: v.pipe(milliseconds, v.gtValue(0)),
};

const author = v.string();

const canaryRequest = v.object({
  /** The nodes: `1`, `10%` or `fred,betty`. */
  scope: v.string(),
  /** More failed calls than this end the canary. */
  maxErrors: count,
  /** How long the push watches the canary before it ends (milliseconds). */
  watch: milliseconds,
});

const pushCommand = v.object({
  ...common,
  type: v.literal('push'),
  modules,
  author,
  /** Purge an old version even if calls run on it. Otherwise the node refuses with `not_purged`. */
  force: v.boolean(),
  /** Whether a type error stops the push. */
  check: v.boolean(),
  /** Stop before the commit, and report what each node would answer. */
  dryRun: v.boolean(),
  /** The part of the fleet to load the modules on first; null: every node at once. */
  canary: v.nullable(canaryRequest),
});

const rollbackCommand = v.object({
  ...common,
  type: v.literal('rollback'),
  modules,
  author,
  /** The first digits of a revision in the history; null: the previous revision. */
  to: v.nullable(v.string()),
});

const promoteCommand = v.object({ ...common, type: v.literal('promote'), modules, author });

const removeCommand = v.object({ ...common, type: v.literal('remove'), modules, author });

const compileCommand = v.object({
  ...common,
  type: v.literal('compile'),
  module,
  node: v.string(),
  check: v.boolean(),
});

const callCommand = v.object({
  ...common,
  type: v.literal('call'),
  /** The call as a user writes it: `demo.add(4, 5)`. */
  call: v.string(),
  /** null: every node. */
  node: v.nullable(v.string()),
  stack: v.boolean(),
});

/** Purges the old version of a module on every node; without `force` only if no call runs on it. */
const purgeCommand = v.object({ ...common, type: v.literal('purge'), module, force: v.boolean() });

const pingCommand = v.object({ ...common, type: v.literal('ping'), node: v.nullable(v.string()) });

/** `wait`: wait until this many nodes are present. */
const nodesCommand = v.object({ ...common, type: v.literal('nodes'), wait: v.nullable(count) });

const statusCommand = v.object({ ...common, type: v.literal('status') });

const historyCommand = v.object({ ...common, type: v.literal('history'), module });

/** `overlap`: how long nodes trust the previous keys (milliseconds). */
const rotateKeysCommand = v.object({ ...common, type: v.literal('keys rotate'), overlap: milliseconds });

/** A command as the CLI sends it to the controller. */
export const commandSchema = v.variant('type', [
  pushCommand,
  rollbackCommand,
  promoteCommand,
  removeCommand,
  compileCommand,
  callCommand,
  purgeCommand,
  pingCommand,
  nodesCommand,
  statusCommand,
  historyCommand,
  rotateKeysCommand,
]);

export type CanaryRequest = Readonly<v.InferOutput<typeof canaryRequest>>;
export type PushCommand = Readonly<v.InferOutput<typeof pushCommand>>;
export type RollbackCommand = Readonly<v.InferOutput<typeof rollbackCommand>>;
export type PromoteCommand = Readonly<v.InferOutput<typeof promoteCommand>>;
export type RemoveCommand = Readonly<v.InferOutput<typeof removeCommand>>;
export type CompileCommand = Readonly<v.InferOutput<typeof compileCommand>>;
export type CallCommand = Readonly<v.InferOutput<typeof callCommand>>;
export type PurgeCommand = Readonly<v.InferOutput<typeof purgeCommand>>;
export type PingCommand = Readonly<v.InferOutput<typeof pingCommand>>;
export type NodesCommand = Readonly<v.InferOutput<typeof nodesCommand>>;
export type StatusCommand = Readonly<v.InferOutput<typeof statusCommand>>;
export type HistoryCommand = Readonly<v.InferOutput<typeof historyCommand>>;
export type RotateKeysCommand = Readonly<v.InferOutput<typeof rotateKeysCommand>>;
export type Command = Readonly<v.InferOutput<typeof commandSchema>>;
