import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type * as v from 'valibot';

import { decode, encode } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { splitFrames } from '../../../protocol/framing.ts';
import { MAX_MODULES, MAX_REQUEST_BYTES, HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import {
  callRequest,
  digestRequest,
  type LoadAnswer,
  type MalformedAnswer,
  type PrepareAnswer,
  type PurgeAnswer,
  purgeRequest,
  type PurgeRequest,
  type DryRunAnswer,
  dryRunRequest,
} from '../../../protocol/messages.ts';
import { LogThrottle } from '../../../shared/log-throttle.ts';
import { ANSWER_TO, FORCE, lastToken, type Subjects, type Verb } from '../../../protocol/subjects.ts';
import { call } from '../modules/invoke.ts';
import type { Reconciler } from './reconciler.ts';
import type { CodeServer } from '../modules/code-server.ts';
import { RejectedError } from '../admission/verifier.ts';
import type { LoadResult } from '../modules/load-result.ts';
import { type DescribedNode, describeNode } from './node-description.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { Heartbeat } from './heartbeat.ts';
import { answerSubject } from '../../../protocol/inboxes.ts';

interface Deps extends DescribedNode {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly reconciler: Reconciler;
  readonly heartbeat: Pick<Heartbeat, 'setInterval'>;
  /** How long a push waits for calls on an old version (milliseconds). */
  readonly purgeTimeoutMs: number;
  readonly log: Logger;
}

/** Handles the payload of one request; null: there is no answer. */
type Handler = (bytes: Uint8Array) => object | null | Promise<object | null>;

/** Answers all messages for this node until the connection closes. Resolves when the server has the subscriptions. */
export async function handleRequests(deps: Deps): Promise<void> {
  const { nats, subjects, identity, log } = deps;
  const handlers = verbHandlers(deps);
  const throttle = new LogThrottle();

  const answer = async (message: Msg, handle: Handler, answerTo: string | undefined): Promise<void> => {
    let result: object | null;
    try {
      result = await handle(message.data);
    } catch (error) {
      result = malformed(identity.name, error);
      // The verifier counts and logs messages that are not trusted.
      const { subject } = message;
      const count =
        error instanceof RejectedError
          ? null
          : throttle.count(handlers.has(lastToken(subject)) ? lastToken(subject) : 'bundle');
      if (count !== null) log.warn({ err: error, subject, count }, 'a message could not be handled');
    }
    const inbox = answerSubject(answerTo, identity.name);
    if (result !== null && inbox !== null) nats.publish(inbox, encode(result));
  };
  const onRequest = (error: Error | null, message: Msg): void => {
    const handle = handlers.get(lastToken(message.subject));
    if (error === null && handle !== undefined) void answer(message, handle, message.reply);
  };

  const onBundle = (error: Error | null, message: Msg): void => {
    // The reply subject belongs to the stream's PubAck. A bundle without ANSWER_TO is read from the stream when it is needed.
    const { headers, subject } = message;
    if (error !== null || !headers?.has(ANSWER_TO)) return;
    void answer(message, prepareBundle(deps, subject, headers.has(FORCE)), headers.get(ANSWER_TO) || undefined);
  };

  nats.subscribe(subjects.nodeAny(identity.name), { callback: onRequest });
  nats.subscribe(subjects.allAny, { callback: onRequest });
  nats.subscribe(subjects.bundles, { callback: onBundle });
  await nats.flush();
}

function verbHandlers(deps: Deps): ReadonlyMap<string, Handler> {
  const { subjects, identity, verifier, codeServer, reconciler, heartbeat } = deps;
  const node = identity.name;
  const handlers: Record<Verb, Handler> = {
    ping: () => ({ node, container: identity.container }),
    describe: () => describeNode(deps),
    load: bytes => {
      const bundle = verifier.loadCommand(subjects.node(node, 'load'), bytes);
      const prepared = codeServer.prepare(bundle);
      return loadAnswer(node, prepared.status === 'ok' ? codeServer.loadHere(bundle) : prepared);
    },
    'dry-run': bytes => ({ node, ...codeServer.dryRun(request(dryRunRequest, bytes).modules) }) satisfies DryRunAnswer,
    commit: async bytes =>
      loadAnswer(
        node,
        await reconciler.apply(splitFrames(bytes, MAX_MODULES).map(frame => verifier.head(null, frame))),
      ),
    purge: bytes => purgeOld(node, codeServer, request(purgeRequest, bytes)),
    call: bytes => call(codeServer, node, request(callRequest, bytes)),
    digest: async bytes => {
      const digest = request(digestRequest, bytes);
      heartbeat.setInterval(digest.heartbeatInterval ?? HEARTBEAT_INTERVAL);
      await reconciler.compare(digest);
      return null;
    },
  };
  return new Map(Object.entries(handlers));
}

/** Decodes a request that is not signed. @throws DecodeError */
function request<TSchema extends v.GenericSchema>(schema: TSchema, bytes: Uint8Array): v.InferOutput<TSchema> {
  if (bytes.length > MAX_REQUEST_BYTES) throw new DecodeError(`a request has at most ${MAX_REQUEST_BYTES} bytes`);
  return decode(schema, bytes);
}

/** Prepares a bundle. Waits for calls on the module's old version, because they would block the load. */
function prepareBundle(
  { identity, verifier, codeServer, purgeTimeoutMs }: Deps,
  subject: string,
  force: boolean,
): Handler {
  return async bytes => {
    const bundle = verifier.bundle(subject, bytes);
    const prepared = codeServer.prepare(bundle);
    if (prepared.status === 'ok' && !force) await codeServer.waitForPurge(bundle.module, purgeTimeoutMs);
    const refusal = force ? null : codeServer.checkLoad(bundle);
    return prepareAnswer(identity.name, bundle.revision, refusal ?? prepared);
  };
}

function purgeOld(node: string, codeServer: CodeServer, { module, force }: PurgeRequest): PurgeAnswer {
  const old = codeServer.oldVersion(module);
  if (old !== null && !force) return { status: 'busy', node, calls: old.calls };
  codeServer.purge(module);
  return { status: 'purged', node };
}

function prepareAnswer(node: string, revision: string, result: LoadResult): PrepareAnswer {
  return result.status === 'ok' ? { status: 'prepared', node, revision } : { ...result, node };
}

function loadAnswer(node: string, result: LoadResult): LoadAnswer {
  return result.status === 'ok'
    ? { status: 'loaded', node, at: performance.timeOrigin + performance.now() }
    : { ...result, node };
}

function malformed(node: string, error: unknown): MalformedAnswer {
  const isFaultOfSender = error instanceof DecodeError || error instanceof RejectedError;
  const detail = isFaultOfSender ? error.message : 'the node failed; its log says why';
  return { status: 'malformed', node, detail };
}
