import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type * as v from 'valibot';

import { decode, encode } from '../../protocol/codec.ts';
import { answerSubject } from '../../protocol/connection.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { splitFrames } from '../../protocol/frames.ts';
import { MAX_MODULES, MAX_REQUEST_BYTES, PRESENCE_INTERVAL } from '../../protocol/limits.ts';
import {
  callRequest,
  digestRequest,
  type LoadAnswer,
  type MalformedAnswer,
  type PrepareAnswer,
  type PurgeAnswer,
  purgeRequest,
  type PurgeRequest,
  type RehearseAnswer,
  rehearseRequest,
} from '../../protocol/messages.ts';
import { Seldom } from '../../protocol/seldom.ts';
import { ANSWER_TO, FORCE, lastToken, type Subjects, type Verb } from '../../protocol/subjects.ts';
import { call } from './call.ts';
import type { CatchUp } from './catch-up.ts';
import type { CodeServer } from './code-server.ts';
import { type Gate, UntrustedError } from './gate.ts';
import { notPurged, type Outcome } from './outcome.ts';
import { describeNode, type Identity } from './describe.ts';
import type { Logger } from './logger.ts';
import type { Presence } from './presence.ts';

interface Parts {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly identity: Identity;
  readonly gate: Gate;
  readonly codeServer: CodeServer;
  readonly catchUp: CatchUp;
  readonly presence: Pick<Presence, 'pace'>;
  /** How long a push waits for calls on an old version (milliseconds). */
  readonly purgeMayTake: number;
  readonly log: Logger;
}

/** Handles the bytes of one request; null is no answer. */
type Handler = (bytes: Uint8Array) => object | null | Promise<object | null>;

/** Subscribes to all that a node is asked and told, and answers it. Resolves when the server knows. */
export async function startAnswering(parts: Parts): Promise<void> {
  const { nats, subjects, identity, log } = parts;
  const handlers = verbHandlers(parts);
  const seldom = new Seldom();

  const answer = async (message: Msg, handle: Handler, answerTo: string | undefined): Promise<void> => {
    let answered: object | null;
    try {
      answered = await handle(message.data);
    } catch (error) {
      answered = malformed(identity.name, error);
      // What is not trusted is counted and logged by the gate.
      const { subject } = message;
      const count =
        error instanceof UntrustedError
          ? null
          : seldom.count(handlers.has(lastToken(subject)) ? lastToken(subject) : 'bundle');
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
  const { subjects, identity, gate, codeServer, catchUp, presence } = parts;
  const node = identity.name;
  const handlers: Record<Verb, Handler> = {
    ping: () => ({ node, container: identity.container }),
    describe: () => describeNode(identity, codeServer, gate),
    load: bytes => {
      const bundle = gate.loadOrder(subjects.node(node, 'load'), bytes);
      const prepared = codeServer.prepare(bundle);
      return loadAnswer(node, prepared.status === 'ok' ? codeServer.loadHere(bundle) : prepared);
    },
    rehearse: bytes =>
      ({ node, ...codeServer.rehearse(request(rehearseRequest, bytes).modules) }) satisfies RehearseAnswer,
    commit: async bytes =>
      loadAnswer(node, await catchUp.obey(splitFrames(bytes, MAX_MODULES).map(frame => gate.head(null, frame)))),
    purge: bytes => purgeOld(node, codeServer, request(purgeRequest, bytes)),
    call: bytes => call(codeServer, node, request(callRequest, bytes)),
    digest: async bytes => {
      const digest = request(digestRequest, bytes);
      presence.pace(digest.presenceEvery ?? PRESENCE_INTERVAL);
      await catchUp.compare(digest);
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
function prepareBundle({ identity, gate, codeServer, purgeMayTake }: Parts, subject: string, force: boolean): Handler {
  return async bytes => {
    const bundle = gate.bundle(subject, bytes);
    const outcome = codeServer.prepare(bundle);
    if (outcome.status === 'ok' && !force) await codeServer.oldIdle(bundle.module, purgeMayTake);
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

function prepareAnswer(node: string, revision: string, outcome: Outcome): PrepareAnswer {
  return outcome.status === 'ok' ? { status: 'prepared', node, revision } : { ...outcome, node };
}

function loadAnswer(node: string, outcome: Outcome): LoadAnswer {
  return outcome.status === 'ok'
    ? { status: 'loaded', node, at: performance.timeOrigin + performance.now() }
    : { ...outcome, node };
}

function malformed(node: string, error: unknown): MalformedAnswer {
  const isSendersFault = error instanceof DecodeError || error instanceof UntrustedError;
  const detail = isSendersFault ? error.message : 'the node failed; its log says why';
  return { status: 'malformed', node, detail };
}
