import * as v from 'valibot';

import { isModuleName, MODULE_RULE } from '../../../protocol/names.ts';
import { headSchema } from '../../../protocol/head.ts';
import { logLevel } from '../../../protocol/logs.ts';
import { count, nodeName, revision, traceparent } from '../../../protocol/schemas.ts';
import { whyEntries } from '../../../protocol/history/why.ts';
import { GRANTED, operatorName } from '../../../protocol/operators/operator.ts';
import { isOperatorUrl, URL_RULE } from '../../../protocol/operators/credentials.ts';
import { list, milliseconds } from './validation.ts';

export type { OnReport } from './report.ts';

/** The longest command, in bytes of JSON: a restore names the manifests of all modules. */
export const MAX_COMMAND_BYTES = 16 * 1024 * 1024;

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

const selection = v.picklist(['all', 'affected']);

/** A union would say only that the value fits neither of the two. */
const modulesOrSelection = v.lazy(
  (input): v.GenericSchema<unknown, v.InferOutput<typeof modules | typeof selection>> =>
    typeof input === 'string' ? selection : modules,
);

const common = {
  /** The command fails unless the controller has this cookie; null: any. */
  cookie: v.nullable(v.string()),
  /** How long to wait for the nodes, in each phase of the command (milliseconds). */
  timeoutMs: v.pipe(milliseconds, v.gtValue(0)),
  /** The span of whoever gave the command. */
  traceparent: v.exactOptional(traceparent),
  /** The session of the operator who gives the command from afar; absent: somebody in the container gives it. */
  operatorSession: v.exactOptional(v.pipe(v.string(), v.uuid())),
};

/** The id of a change, which the heads that it writes carry. */
const changeId = v.pipe(v.string(), v.uuid('a change is named by its id, a UUID'));

/** The nodes of this group only; absent: of every one. */
const group = v.exactOptional(v.string());

const session = v.pipe(v.string(), v.uuid('a shell is named by its id, a UUID'));
const callId = v.exactOptional(v.pipe(v.string(), v.uuid()));
const kept = list(v.pipe(v.string(), v.regex(/^[\p{ID_Start}$_][\p{ID_Continue}$\u200C\u200D]*$/u)));

/** What every command has that changes something: who gave it and why, for the history and the audit. */
const authored = { ...common, author: v.string(), ...whyEntries };

/** What every command has that changes heads. */
const change = { ...authored, modules, change: changeId };

/** A command as the CLI sends it to the controller. */
export const commandSchema = v.variant('type', [
  v.object({
    ...change,
    type: v.literal('push'),
    /** Their names, all that have sources, or those whose sources have changed since their push. */
    modules: modulesOrSelection,
    /** Purge the versions that drain, also those on which calls run. */
    force: v.boolean(),
    /** Whether a type error stops the push. */
    check: v.boolean(),
    /** Stop before the commit, and report what each node would answer. */
    dryRun: v.boolean(),
    /** The nodes that are left out: they keep what they run. */
    without: v.exactOptional(list(nodeName)),
    /** The part of the fleet to load the modules on first; null: every node at once. */
    canary: v.nullable(
      v.object({
        /** The nodes: `1`, `10%` or `fred,betty`. */
        scope: v.string(),
        /** More failed calls than this end the canary. */
        maxErrors: count,
        /** With fewer calls than this on its nodes, the canary is undecided. */
        minCalls: count,
        /** How long the push watches the canary before it ends (milliseconds). */
        watch: milliseconds,
      }),
    ),
  }),
  /** Watches the modules folder, and pushes what is saved. `strict`: type errors stop a push. It ends with its client. */
  v.object({ ...common, type: v.literal('dev'), author: v.string(), git: whyEntries.git, strict: v.boolean() }),
  v.object({
    ...change,
    type: v.literal('rollback'),
    /** The first digits of a revision in the history; null: the previous revision. */
    to: v.nullable(v.string()),
  }),
  v.object({ ...change, type: v.literal('promote') }),
  v.object({ ...change, type: v.literal('repair') }),
  /** `state`: also clear what is in `import.meta.hot.data`; then a module that is removed already counts too. */
  v.object({ ...change, type: v.literal('remove'), state: v.boolean() }),
  v.object({
    ...authored,
    change: changeId,
    type: v.literal('restore'),
    /** When the backup was made, milliseconds since 1970. */
    backupAt: count,
    /** What should run; other modules are removed. Their bundles are in the stream. */
    modules: list(
      v.object({ module, revision, manifest: headSchema.entries.manifest, groups: headSchema.entries.groups }),
    ),
  }),
  v.object({ ...authored, type: v.literal('compile'), module, node: v.string(), check: v.boolean() }),
  v.object({
    ...common,
    type: v.literal('call'),
    /** The call as a user writes it: `demo.add(4, 5)`. */
    call: v.string(),
    /** null: every node that the module is for. */
    node: v.nullable(v.string()),
    group,
    stack: v.boolean(),
    /** What it prints has this id in the log. */
    id: callId,
  }),
  /** Shows what modules log (all, if none is named), until its client goes. `node`: null for every node. */
  v.object({
    ...common,
    type: v.literal('tail'),
    modules: list(module),
    node: v.nullable(v.string()),
    group,
    level: logLevel,
    grep: v.string(),
  }),
  v.object({ ...common, type: v.literal('errors'), module, node: v.nullable(v.string()), group }),
  /** Purges the draining versions of a module, on one node, a group or all; without `force` only those on which no call runs. */
  v.object({
    ...authored,
    type: v.literal('purge'),
    module,
    force: v.boolean(),
    node: v.exactOptional(nodeName),
    group,
  }),
  /** Runs a line of a shell; null: on all nodes. `kept`: the names that earlier lines of this shell have declared. */
  v.object({
    ...authored,
    type: v.literal('evaluate'),
    source: v.string(),
    node: v.nullable(nodeName),
    session,
    kept,
    id: callId,
  }),
  /** A shell is still there, or has ended: then nodes release what it keeps. */
  v.object({ ...common, type: v.literal('session'), session, hasEnded: v.boolean() }),
  /** What the modules of a node export; null: of all nodes. The shell asks it. */
  v.object({ ...common, type: v.literal('exports'), node: v.nullable(nodeName) }),
  v.object({ ...common, type: v.literal('ping'), node: v.nullable(v.string()), group }),
  /** `wait`: wait until this many nodes are present. */
  v.object({ ...common, type: v.literal('nodes'), wait: v.nullable(count), group }),
  /** The names of all modules that have sources or were pushed, of the nodes that should answer, or of their groups. */
  v.object({ ...common, type: v.literal('names'), of: v.picklist(['modules', 'nodes', 'groups']) }),
  /** `cli`: the version of the command line. */
  v.object({ ...common, type: v.literal('version'), cli: v.string() }),
  /** `waitMs`: how long to wait for nodes that can still follow their heads, milliseconds. */
  v.object({ ...common, type: v.literal('status'), waitMs: milliseconds, group }),
  v.object({ ...common, type: v.literal('doctor') }),
  v.object({ ...common, type: v.literal('bans') }),
  /** Has a node load again what it is kept off; null: all nodes. */
  v.object({ ...change, type: v.literal('lift'), node: v.nullable(v.string()) }),
  /** null: all modules. */
  v.object({ ...common, type: v.literal('history'), module: v.nullable(module) }),
  /** `since`: milliseconds since 1970. */
  v.object({ ...common, type: v.literal('audit'), since: count }),
  /** The events after a position; null: all of them, or those from now on if it is to follow them until its client goes. */
  v.object({ ...common, type: v.literal('events'), since: v.nullable(count), follow: v.boolean() }),
  /** `modules`: whose histories to search; what the newest heads say is found without them. */
  v.object({ ...common, type: v.literal('result'), change: changeId, modules: list(module) }),
  v.object({
    ...authored,
    type: v.literal('operator add'),
    name: operatorName,
    may: v.pipe(
      list(v.picklist(GRANTED, `an operator may: ${GRANTED.join(', ')}`)),
      v.check(all => new Set(all).size === all.length, 'something that it may is named twice'),
    ),
    /** Where it reaches NATS. */
    url: v.pipe(v.string(), v.check(isOperatorUrl, `--url is ${URL_RULE}`)),
    /** When it expires, milliseconds since 1970; null: never. */
    expiresAt: v.nullable(milliseconds),
  }),
  v.object({ ...authored, type: v.literal('operator revoke'), name: operatorName }),
  v.object({ ...common, type: v.literal('operator list') }),
  /** `overlap`: how long nodes trust the previous keys (milliseconds). */
  v.object({ ...authored, type: v.literal('keys rotate'), overlap: milliseconds }),
  v.object({ ...authored, type: v.literal('keys revoke'), key: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)) }),
]);

export type Command = Readonly<v.InferOutput<typeof commandSchema>>;

export type CommandOf<T extends Command['type']> = Extract<Command, { readonly type: T }>;

/** A command that writes heads; its result is kept under the id of its change. */
export type ChangingCommand = Extract<Command, { readonly change: string }>;

export function isChanging(command: Command): command is ChangingCommand {
  return 'change' in command && command.type !== 'result';
}

/** Whether a command has no end of its own: it goes on until its client goes. */
export function isFollowing(command: Command): boolean {
  return command.type === 'tail' || command.type === 'dev' || (command.type === 'events' && command.follow);
}
