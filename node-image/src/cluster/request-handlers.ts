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
import { type Verifier, RejectedError } from '../admission/verifier.ts';
import { notPurged, type LoadResult } from '../modules/load-result.ts';
import { describeNode, type Identity } from './node-description.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { Heartbeat } from './heartbeat.ts';
import { answerSubject } from '../../../protocol/inboxes.ts';

interface Parts {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly identity: Identity;
  readonly verifier: Verifier;
  readonly codeServer: CodeServer;
  readonly reconciler: Reconciler;
  readonly heartbeat: Pick<Heartbeat, 'setInterval'>;
  /** How long a push waits for calls on an old version (milliseconds). */
  readonly purgeTimeoutMs: number;
  readonly log: Logger;
}

/** Handles the bytes of one request; null is no answer. */
type Handler = (bytes: Uint8Array) => object | null | Promise<object | null>;

/** Subscribes to all that a node is asked and told, and answers it. Resolves when the server knows. */
export async function startAnswering(parts: Parts): Promise<void> {
  const { nats, subjects, identity, log } = parts;
  const handlers = verbHandlers(parts);
  const throttle = new LogThrottle();

  const answer = async (message: Msg, handle: Handler, answerTo: string | undefined): Promise<void> => {
    let answered: object | null;
    try {
      answered = await handle(message.data);
    } catch (error) {
      answered = malformed(identity.name, error);
      // What is not trusted is counted and logged by the verifier.
      const { subject } = message;
      const count =
        error instanceof RejectedError
          ? null
          : throttle.count(handlers.has(lastToken(subject)) ? lastToken(subject) : 'bundle');
      if (count !== null) log.warn({ err: error, subject, count }, 'a message could not be handled');
    }
    const inbox = answerSubject(answerTo, identity.name);
    if (answered !== null && inbox !== null) nats.publish(inbox, encode(answered));
  };
  const onRequest = (error: Error | null, message: Msg): void => {
    const handle = handlers.get(lastToken(message.subject));
    if (error === null && handle !== undefined) void answer(message, handle, message.reply);
  };

  nats.subscribe(subjects.nodeAny(identity.name), { callback: onRequest });
  nats.subscribe(subjects.allAny, { callback: onRequest });
  nats.subscribe(subjects.bundles, {
    callback: (error, message) => {
      // The reply subject of what was written to the stream is its PubAck's. What nobody waits for is read when it is needed.
      const { headers } = message;
      if (!headers?.has(ANSWER_TO)) return;
      const handle = prepareBundle(parts, message.subject, headers?.has(FORCE) ?? false);
      if (error === null) void answer(message, handle, headers?.get(ANSWER_TO) || undefined);
    },
  });
  await nats.flush();
}

function verbHandlers(parts: Parts): ReadonlyMap<string, Handler> {
  const { subjects, identity, verifier, codeServer, reconciler, heartbeat } = parts;
  const node = identity.name;
  const handlers: Record<Verb, Handler> = {
    ping: () => ({ node, container: identity.container }),
    describe: () => describeNode(identity, codeServer, verifier),
    load: bytes => {
      const bundle = verifier.loadCommand(subjects.node(node, 'load'), bytes);
      const prepared = codeServer.prepare(bundle);
      return loadAnswer(node, prepared.status === 'ok' ? codeServer.loadHere(bundle) : prepared);
    },
    'dry-run': bytes => ({ node, ...codeServer.dryRun(request(dryRunRequest, bytes).modules) }) satisfies DryRunAnswer,
    commit: async bytes =>
      loadAnswer(node, await reconciler.obey(splitFrames(bytes, MAX_MODULES).map(frame => verifier.head(null, frame)))),
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

/** What is asked without a seal. @throws DecodeError */
function request<TSchema extends v.GenericSchema>(schema: TSchema, bytes: Uint8Array): v.InferOutput<TSchema> {
  if (bytes.length > MAX_REQUEST_BYTES) throw new DecodeError(`a request has at most ${MAX_REQUEST_BYTES} bytes`);
  return decode(schema, bytes);
}

/** Has a bundle ready; waits for calls on the module's old version, since it could not be loaded beside them. */
function prepareBundle(
  { identity, verifier, codeServer, purgeTimeoutMs }: Parts,
  subject: string,
  force: boolean,
): Handler {
  return async bytes => {
    const bundle = verifier.bundle(subject, bytes);
    const outcome = codeServer.prepare(bundle);
    if (outcome.status === 'ok' && !force) await codeServer.oldIdle(bundle.module, purgeTimeoutMs);
    const old = force ? null : codeServer.oldInTheWay(bundle.module);
    const ban = force ? null : codeServer.banOn(bundle);
    return prepareAnswer(identity.name, bundle.revision, ban ?? (old === null ? outcome : notPurged(old)));
  };
}

function purgeOld(node: string, codeServer: CodeServer, { module, force }: PurgeRequest): PurgeAnswer {
  const old = codeServer.busyOld(module);
  if (old !== null && !force) return { status: 'busy', node, calls: old.calls };
  codeServer.purge(module);
  return { status: 'purged', node };
}

function prepareAnswer(node: string, revision: string, outcome: LoadResult): PrepareAnswer {
  return outcome.status === 'ok' ? { status: 'prepared', node, revision } : { ...outcome, node };
}

function loadAnswer(node: string, outcome: LoadResult): LoadAnswer {
  return outcome.status === 'ok'
    ? { status: 'loaded', node, at: performance.timeOrigin + performance.now() }
    : { ...outcome, node };
}

function malformed(node: string, error: unknown): MalformedAnswer {
  const isSendersFault = error instanceof DecodeError || error instanceof RejectedError;
  const detail = isSendersFault ? error.message : 'the node failed; its log says why';
  return { status: 'malformed', node, detail };
}
