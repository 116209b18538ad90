import type { NatsConnection } from '@nats-io/transport-node';
import type * as v from 'valibot';

import type { Bundle } from '../../../protocol/bundle.ts';
import { decode, parseJson } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { splitFrames } from '../../../protocol/bytes/framing.ts';
import { concerns } from '../../../protocol/head.ts';
import { answerSubject } from '../../../protocol/inboxes.ts';
import { MAX_MODULES, MAX_REQUEST_BYTES, HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import { errorsRequest, type ErrorsAnswer, type TailAnswer, tailRequest } from '../../../protocol/logs.ts';
import * as messages from '../../../protocol/messages.ts';
import { serviceOf } from '../../../protocol/names.ts';
import { isInGroups } from '../../../protocol/placement/groups.ts';
import { type ExportsAnswer, sessionRequest } from '../../../protocol/shell-messages.ts';
import {
  AFTER,
  ANSWER_TO,
  FORCE,
  lastToken,
  PUSH_SIGNATURE,
  SERVICES,
  type Subjects,
  type Verb,
} from '../../../protocol/subjects.ts';
import { decodeArguments } from '../../../protocol/values/decode.ts';
import { isSpoken, PROTOCOL, protocolOf } from '../../../protocol/version.ts';
import { LogThrottle } from '../../../shared/rates/log-throttle.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { ReceivedHeaders, ReceivedMessage } from '../../../shared/nats/direct-reader.ts';
import { publishDirectly, subscribeDirectly } from '../../../shared/nats/direct-transport.ts';
import { RejectedError, UnknownKeyError } from '../admission/verifier.ts';
import { Expressions, type ReadyPackages } from '../modules/shell/expressions.ts';
import { call } from '../modules/invoke.ts';
import { type Loaded, type LoadResult, refused } from '../modules/load-result.ts';
import { describeOwned } from '../modules/package-use/owned.ts';
import type { Packages } from '../packages/packages.ts';
import { describeExports } from '../modules/shell/describe-exports.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { PrepareBundle } from './prepare-bundle.ts';
import { takeKeyList } from './key-lookup.ts';
import { type DescribedNode, describeNode } from './node-description.ts';
import type { Reconciler } from './reconciler.ts';
import type { RecordReader } from './record-reader.ts';

/** A node that answers requests. */
export interface AnsweringNode extends DescribedNode {
  readonly nats: Pick<NatsConnection, 'subscribe' | 'publish' | 'flush'>;
  /** How long a push waits for room when as many versions drain as can (milliseconds). */
  readonly purgeTimeoutMs: number;
  readonly packages: Pick<Packages, 'has'>;
  readonly log: Logger;
}

interface Deps extends AnsweringNode {
  readonly records: Pick<RecordReader, 'unreadable' | 'keys'>;
  readonly subjects: Subjects;
  readonly prepare: PrepareBundle;
  readonly readyPackages: ReadyPackages;
  readonly reconciler: Reconciler;
  readonly heartbeat: Pick<Heartbeat, 'setInterval'>;
}

/**
 * Handles the payload of one request; null: there is no answer.
 *
 * @param sendFirst sends an answer before the last one.
 */
type Handler = (bytes: Uint8Array, sendFirst: (answer: object) => void) => object | null | Promise<object | null>;

/**
 * Answers all messages for this node until the connection closes. Resolves when the server has the subscriptions.
 *
 * @returns what ends them. It resolves when the server sends no more; what it sent before is handled.
 */
export async function handleRequests(deps: Deps): Promise<() => Promise<void>> {
  const { nats, subjects, identity, log } = deps;
  const handlers = verbHandlers(deps);
  const throttle = new LogThrottle();

  const failed = (subject: string, error: unknown): messages.MalformedAnswer => {
    const kind = handlers.has(lastToken(subject)) ? lastToken(subject) : 'bundle';
    // The verifier counts and logs messages that are not trusted.
    const count = error instanceof RejectedError ? null : throttle.count(kind);
    if (count !== null) log.warn({ err: error, subject, count }, 'a message could not be handled');
    return malformed(identity.name, error);
  };
  const answer = async (message: ReceivedMessage, handle: Handler, answerTo: string | undefined): Promise<void> => {
    const inbox = answerSubject(answerTo, identity.name);
    const send = (result: object): void => {
      if (inbox !== null) publishDirectly(nats, inbox, JSON.stringify(result));
    };
    const { data, subject } = message;
    let result: object | null;
    try {
      result = await handle(data, send);
    } catch (error) {
      const isUnknown = error instanceof UnknownKeyError;
      const again = isUnknown ? deps.records.keys().then(() => handle(data, send)) : Promise.reject(error);
      result = await again.catch((second: unknown) => failed(subject, second));
    }
    if (result !== null) send(result);
  };
  const onRequest = (message: ReceivedMessage): void => {
    const handle = handlers.get(lastToken(message.subject));
    if (handle !== undefined) void answer(message, handle, message.reply);
  };
  const onBundle = (message: ReceivedMessage): void => {
    // The reply subject belongs to the stream's PubAck. A bundle without ANSWER_TO is read from the stream when it is needed.
    const { headers, subject } = message;
    if (!headers?.has(ANSWER_TO)) return;
    if (headers.has(SERVICES) && !headers.get(SERVICES).split(',').includes(serviceOf(identity.name))) return;
    void answer(message, prepareBundle(deps, subject, headers), headers.get(ANSWER_TO) || undefined);
  };

  const subscriptions = [
    subscribeDirectly(nats, subjects.nodeAny(identity.name), onRequest),
    subscribeDirectly(nats, subjects.allAny, onRequest),
    subscribeDirectly(nats, subjects.bundles, onBundle),
  ];
  await nats.flush();
  return async () => void (await Promise.all(subscriptions.map(subscription => subscription.drain())));
}

/** What to do about a controller whose messages this node may not understand. */
const UPGRADE = 'replace this node by one of that release, or the controller';

function verbHandlers(deps: Deps): ReadonlyMap<string, Handler> {
  const { subjects, identity, verifier, codeServer, reconciler, heartbeat, log } = deps;
  const node = identity.name;
  let foreign: number | null = null;
  const warnOfController = (protocol: number | null): void => {
    if (protocol === null || protocol === foreign) return;
    foreign = isSpoken(protocol) ? null : protocol;
    if (foreign !== null) log.error({ protocol, own: PROTOCOL }, `the controller is of another release: ${UPGRADE}`);
  };
  const loadAnswer = (result: LoadResult): messages.LoadAnswer =>
    result.status === 'refused' ? { ...result, node } : loadedAnswer(node, result);
  const expressions = new Expressions(codeServer, deps.readyPackages);
  const handlers: Record<Verb, Handler> = {
    ping: () => ({ node, container: identity.container, processId: verifier.processId, protocol: PROTOCOL }),
    describe: () => ({ ...describeNode(deps), owned: describeOwned(codeServer.owned) }),
    exports: () => ({ node, ...describeExports(codeServer) }) satisfies ExportsAnswer,
    evaluate: bytes => expressions.evaluate(node, verifier.evaluation(subjects.node(node, 'evaluate'), bytes)),
    session: bytes => {
      expressions.renew(request(sessionRequest, bytes));
      return null;
    },
    load: (bytes, sendFirst) => {
      const bundle = verifier.loadCommand(subjects.node(node, 'load'), bytes);
      const load = async (prepared: LoadResult): Promise<messages.LoadAnswer> => {
        if (prepared.status === 'refused') return loadAnswer(prepared);
        return loadAnswer(await codeServer.suspensions.whenQuiet([bundle], () => codeServer.loadHere(bundle)));
      };
      const prepared = prepareWithPackages(deps, bundle, sendFirst);
      return prepared instanceof Promise ? prepared.then(load) : load(prepared);
    },
    'dry-run': bytes => {
      const { modules } = request(messages.dryRunRequest, bytes);
      const own = modules.filter(({ groups = null }) => isInGroups(groups, node));
      return own.length === 0 ? null : ({ node, ...codeServer.dryRun(own) } satisfies messages.DryRunAnswer);
    },
    heads: bytes => {
      const { above } = request(messages.headsRequest, bytes);
      return { node, heads: verifier.newerHeads(above) } satisfies messages.HeadsAnswer;
    },
    commit: async bytes => {
      const heads = splitFrames(bytes, MAX_MODULES).map(frame => verifier.head(null, frame));
      const result = await reconciler.apply(heads);
      return result === null || !heads.some(head => concerns(head, node)) ? null : loadAnswer(result);
    },
    purge: (bytes): messages.PurgeAnswer => {
      const { module, force } = request(messages.purgeRequest, bytes);
      // An idle version has closed by itself.
      const drainingNow = () => codeServer.describeDraining().filter(version => version.module === module);
      const before = callsOn(drainingNow());
      if (force) codeServer.purge(module);
      const draining = drainingNow();
      const calls = callsOn(draining);
      if (draining.length > 0) return { status: 'busy', node, calls, draining };
      return before === calls ? { status: 'purged', node } : { status: 'purged', node, failedCalls: before - calls };
    },
    call: bytes => {
      const { args, ...target } = request(messages.callRequest, bytes);
      return call(codeServer, node, { ...target, args: decodeArguments(args) });
    },
    digest: async bytes => {
      warnOfController(protocolOf(parseJson(bytes)));
      const digest = request(messages.digestRequest, bytes);
      heartbeat.setInterval(digest.heartbeatInterval ?? HEARTBEAT_INTERVAL);
      await reconciler.compare(digest);
      return null;
    },
    keys: bytes => {
      takeKeyList(verifier, bytes, log);
      return null;
    },
    tail: bytes => {
      codeServer.logs.tail.lease(request(tailRequest, bytes));
      return { node } satisfies TailAnswer;
    },
    errors: bytes => {
      const { module } = request(errorsRequest, bytes);
      return { node, revisions: codeServer.logs.errors.of(module) } satisfies ErrorsAnswer;
    },
  };
  return new Map(Object.entries(handlers));
}

/** How many calls run on versions that drain. */
function callsOn(draining: readonly messages.DrainingVersion[]): number {
  return draining.reduce((sum, { inFlight }) => sum + inFlight, 0);
}

/** Decodes a request that is not signed. @throws DecodeError */
function request<TSchema extends v.GenericSchema>(schema: TSchema, bytes: Uint8Array): v.InferOutput<TSchema> {
  if (bytes.length > MAX_REQUEST_BYTES) throw new DecodeError(`a request has at most ${MAX_REQUEST_BYTES} bytes`);
  return decode(schema, bytes);
}

/** Prepares a bundle. When as many versions of the module drain as can, waits until one closes. */
function prepareBundle(deps: Deps, subject: string, headers: ReceivedHeaders): Handler {
  const { identity, verifier, codeServer, purgeTimeoutMs } = deps;
  const force = headers.has(FORCE);
  return async (bytes, sendFirst): Promise<messages.PrepareAnswer> => {
    const bundle = verifier.bundle(subject, bytes, headers.get(PUSH_SIGNATURE) || null);
    const shortage = force ? null : codeServer.checkMemory(bundle);
    const preparing = shortage ?? prepareWithPackages(deps, bundle, sendFirst);
    const prepared = preparing instanceof Promise ? await preparing : preparing;
    if (prepared.status === 'ok' && !force) await codeServer.waitForRoom(bundle.module, purgeTimeoutMs);
    const refusal = force || prepared.status === 'refused' ? null : codeServer.checkLoad(bundle);
    const node = identity.name;
    const newerHead = verifier.newerHead(bundle.module, Number(headers.get(AFTER) || Infinity));
    const newer = newerHead === null ? {} : { newerHead };
    return answerOf(node, refusal ?? prepared, { status: 'prepared', node, revision: bundle.revision, ...newer });
  };
}

/** Prepares a bundle. When that takes long, because the node lacks its packages, it says so first. */
function prepareWithPackages(
  { identity, packages, prepare }: Deps,
  bundle: Bundle,
  sendFirst: (answer: messages.FetchingAnswer) => void,
): LoadResult | Promise<LoadResult> {
  if (!packages.has(bundle)) sendFirst({ status: 'fetching', node: identity.name });
  const prepared = prepare(bundle);
  if (!(prepared instanceof Promise)) return prepared;
  return prepared.catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    return refused('nofile', `its packages could not be read: ${why}`);
  });
}

/** The answer to a request whose result is a refusal, or else `success`. */
function answerOf<Success>(node: string, result: LoadResult, success: Success) {
  return result.status === 'ok' ? success : { ...result, node };
}

function loadedAnswer(node: string, { waitedMs, warnings }: Loaded): messages.LoadAnswer {
  return {
    status: 'loaded',
    node,
    ...(waitedMs === undefined ? {} : { waitedMs }),
    ...(warnings === undefined ? {} : { warnings: [...warnings] }),
  };
}

function malformed(node: string, error: unknown): messages.MalformedAnswer {
  const isFaultOfSender = error instanceof DecodeError || error instanceof RejectedError;
  const detail = isFaultOfSender ? error.message : 'the node failed; its log says why';
  return { status: 'malformed', node, detail };
}
