import type { Msg, NatsConnection, Payload, Subscription, SubscriptionOptions } from '@nats-io/transport-node';

import { type Bundle, encodeBundle, packMap } from '../../../protocol/bundle.ts';
import { joinFrames } from '../../../protocol/bytes/framing.ts';
import { encode, encodeRecord, parseJson } from '../../../protocol/codec.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';
import type { Head } from '../../../protocol/head.ts';
import { revisionOf } from '../../../protocol/revision.ts';
import { signEnvelope } from '../../../protocol/signing/envelope.ts';
import { makeSigningKey, readSigningKey, readTrustedKey, trustedKeyFile } from '../../../protocol/signing/keys.ts';
import { KeyTrust } from '../../../protocol/signing/key-trust.ts';
import { signPush } from '../../../protocol/signing/push-signature.ts';
import { AFTER, ANSWER_TO, PUSH_SIGNATURE, subjectsOf } from '../../../protocol/subjects.ts';
import type { ReceivedMessage } from '../../../shared/nats/direct-reader.ts';
import { Verifier } from '../admission/verifier.ts';
import { CodeServer } from '../modules/code-server.ts';
import { createReconciler } from './reconciler.ts';
import { handleRequests } from './request-handlers.ts';

const MODULE = 'warm-up';
const NODE = 'warm-up';
const INBOX = `${inboxPrefix('controller')}.warmUp`;

/** Pushes: the second one replaces a version, and after these V8 has compiled what they need, and knows the types in it. */
const PUSHES = 10;

const nothing = (): void => undefined;
const silent = { info: nothing, warn: nothing, error: nothing };

/**
 * Pushes a small module to a node within this process, which answers nobody else and ends with it. V8 and OpenSSL prepare much when it is
 * needed for the first time: without this, the first push of a process takes more than twice the processor time. Nobody else has its key, and
 * nothing of it is seen outside. Returns the answer to the last push.
 */
export async function warmUp(): Promise<unknown> {
  const subjects = subjectsOf(MODULE);
  const key = readSigningKey(makeSigningKey());
  const { publicKey } = readTrustedKey(Buffer.from(trustedKeyFile(key, null)));
  const earlier = { get: (id: string) => (id === key.id ? publicKey : undefined) };
  const trust = new KeyTrust({ roots: { get: () => undefined }, subject: subjects.keys, earlier });
  const verifier = new Verifier(trust, subjects, nothing);
  const codeServer = new CodeServer(silent);
  const records = {
    heads: async () => [],
    bundle: async () => null,
    keys: async () => undefined,
    unreadable: () => new Map(),
  };
  using reconciler = createReconciler(NODE, codeServer, records, silent);
  const loopback = new Loopback();
  await handleRequests({
    nats: loopback,
    subjects,
    identity: { name: NODE, container: NODE },
    verifier,
    codeServer,
    packages: { has: () => true },
    prepare: bundle => codeServer.prepare(bundle),
    readyPackages: async () => ({ status: 'ready', set: null }),
    reconciler,
    records,
    heartbeat: { setInterval: nothing },
    loopDelay: { max: 0, reset: nothing },
    purgeTimeoutMs: 0,
    log: silent,
  });
  let answer: unknown = null;
  for (let sequence = 1; sequence <= PUSHES; sequence += 1) {
    const bundle = bundleOf(sequence);
    const subject = subjects.bundle(MODULE, bundle.revision);
    const signed = signEnvelope(key, subject, encodeBundle(bundle));
    const head = signEnvelope(key, subjects.head(MODULE), encodeRecord(headOf(bundle.revision, sequence)));
    const headers = new Map([
      [ANSWER_TO, INBOX],
      [PUSH_SIGNATURE, signPush(key, subject, signed, head)],
      [AFTER, String(sequence - 1)],
    ]);
    const label = { has: (name: string) => headers.has(name), get: (name: string) => headers.get(name) ?? '' };
    await loopback.ask(subjects.bundles, { subject, data: signed, headers: label });
    answer = await loopback.ask(subjects.allAny, {
      subject: subjects.all('commit'),
      data: joinFrames([head]),
      reply: INBOX,
    });
    encode(codeServer.describe());
  }
  await codeServer.stop(0);
  return answer;
}

/** A connection without a server: a message is handled in this process, and the next answer is that to it. */
class Loopback implements Pick<NatsConnection, 'subscribe' | 'publish' | 'flush'> {
  readonly #handlers = new Map<string, (message: ReceivedMessage) => void>();
  #answered: (answer: unknown) => void = nothing;

  subscribe(subject: string, { callback }: SubscriptionOptions = {}): Subscription {
    this.#handlers.set(subject, message => void callback?.(null, message as Msg));
    return { drain: async () => undefined } as Subscription;
  }

  publish(_: string, answer: Payload = ''): void {
    this.#answered(parseJson(Buffer.from(answer)));
  }

  async flush(): Promise<void> {
    // Nothing is on its way.
  }

  /** @param subscription the subject that was subscribed to. */
  ask(subscription: string, message: ReceivedMessage): Promise<unknown> {
    return new Promise(resolve => {
      this.#answered = resolve;
      this.#handlers.get(subscription)?.(message);
    });
  }
}

function bundleOf(version: number): Bundle {
  const code = `"use strict"; exports.version = () => ${version}; setTimeout(() => {}, 1).unref();`;
  const label = { module: MODULE, file: `modules/${MODULE}.ts`, exports: ['version'], live: [], memoryBytes: 0 };
  return { ...label, revision: revisionOf(code), code, map: packMap('{}') };
}

function headOf(revision: string, sequence: number): Head {
  const manifest = { exports: ['version'], imports: {}, sources: {} };
  const what = { module: MODULE, revision, manifest, canary: null, sequence, stateSince: 0, keptOff: [] };
  const how = { force: false, makeRoom: false, revertOf: null, cause: null, quarantine: false, repeats: false };
  return { ...what, ...how, push: `${sequence}`, author: NODE, at: 0, note: 'push' };
}
