import type { NatsConnection } from '@nats-io/transport-node';

import { decode, parseJson } from '../../../../../protocol/codec.ts';
import { digestRequest, nodeDescription, rejectedEvent, rosterAnswer } from '../../../../../protocol/messages.ts';
import { progressSchema } from '../../../../../protocol/history/progress.ts';
import type { KeyTrust } from '../../../../../protocol/signing/key-trust.ts';
import { lastToken, subjectsOf } from '../../../../../protocol/subjects.ts';
import { isSpoken, protocolOf } from '../../../../../protocol/version.ts';
import { EventBudget } from '../../../../../shared/rates/event-budget.ts';
import type { Fact } from '../model/fact.ts';
import { auditEntryIn, headIn, headResultIn, openRecords, orNull, type Records } from './records.ts';

/** The audit is read so far back (milliseconds). */
const AUDIT_MS = 7 * 24 * 3_600_000;

/** The roster and the stream are asked so often (milliseconds). */
const ASK_MS = 2_000;

interface FeedDeps {
  readonly nats: NatsConnection;
  readonly cookie: string;
  readonly trusted: KeyTrust;
}

export interface Feed extends Disposable {
  readonly records: Records;
}

/**
 * Tells what is heard on NATS, until it is disposed. After a cut it reads again what is in the streams.
 *
 * @param hear takes what makes a fact of a message later: null if it is none. A push leaves no time to read it at once.
 */
export async function startFeed(
  { nats, cookie, trusted }: FeedDeps,
  hear: (read: () => Fact | null) => void,
): Promise<Feed> {
  const tell = (fact: Fact): void => hear(() => fact);
  const subjects = subjectsOf(cookie);
  const records = await openRecords(nats, cookie, trusted);
  const budget = new EventBudget();
  const on = (subject: string, read: (subject: string, bytes: Uint8Array, at: number) => Fact | null) =>
    nats.subscribe(subject, {
      callback: (error, message) => {
        const at = Date.now();
        if (error === null) hear(() => read(message.subject, message.data, at));
      },
    });
  const events = nats.subscribe(subjects.events, {
    callback: (error, { subject, data }) => {
      const [at, node] = [Date.now(), subject.split('.').at(-2) ?? ''];
      if (error === null && budget.take(node)) hear(() => eventFact(node, lastToken(subject), data, at));
    },
  });
  const subscriptions = [
    events,
    on(subjects.heads, (subject, bytes, at) => {
      const head = headIn(trusted, subject, bytes);
      return head === null ? null : { type: 'heads', heads: [head], at };
    }),
    on(subjects.headResults, (_, bytes, at) => {
      const result = headResultIn(bytes);
      return result === null ? null : { type: 'head-results', results: [result], at };
    }),
    on(subjects.audit, (_, bytes, at) => {
      const entry = auditEntryIn(bytes);
      return entry === null ? null : { type: 'audit', entries: [entry], at };
    }),
    on(subjects.progress, (_, bytes, at) => {
      const progress = orNull(() => decode(progressSchema, bytes));
      return progress === null ? null : { type: 'progress', progress, at };
    }),
    on(subjects.all('keys'), (_, bytes) => {
      records.takeKeyList(bytes);
      return null;
    }),
    on(subjects.all('digest'), (_, bytes, at) => {
      const keys = orNull(() => decode(digestRequest, bytes))?.keys ?? 0;
      // The message with that list was missed, and perhaps heads that its keys have signed.
      if (keys > trusted.number) void readAll().catch(() => undefined);
      return { type: 'digest', at };
    }),
  ];

  const readAll = async (): Promise<void> => {
    await records.readKeyList();
    const [heads, results, entries] = await Promise.all([
      records.heads(),
      records.headResults(),
      records.audit(Date.now() - AUDIT_MS),
    ]);
    tell({ type: 'heads', heads, at: Date.now() });
    tell({ type: 'head-results', results, at: Date.now() });
    tell({ type: 'audit', entries, at: Date.now() });
  };
  const askRoster = async (): Promise<void> => {
    const message = await nats.request(subjects.roster, '', { timeout: ASK_MS }).catch(() => null);
    const answer = message === null ? null : orNull(() => decode(rosterAnswer, message.data));
    const unavailable = { status: 'unavailable', detail: 'the roster does not answer' } as const;
    tell({ type: 'roster', answer: answer ?? unavailable, at: Date.now() });
  };
  const askStorage = async (): Promise<void> => {
    const storage = await records.storage().catch(() => null);
    if (storage !== null) tell({ type: 'storage', ...storage, at: Date.now() });
  };
  const whileUp = (ask: () => Promise<void>) => () => void (isUp && ask().catch(() => undefined));
  let isUp = true;
  const follow = async (): Promise<void> => {
    for await (const { type } of nats.status()) {
      if (type === 'disconnect' || type === 'staleConnection') {
        isUp = false;
        tell({ type: 'link', isUp, at: Date.now() });
      } else if (type === 'reconnect') {
        isUp = true;
        tell({ type: 'link', isUp, at: Date.now() });
        await readAll();
      }
    }
  };
  void follow();
  await readAll();
  const timers = [setInterval(whileUp(askRoster), ASK_MS), setInterval(whileUp(askStorage), ASK_MS)];
  whileUp(askRoster)();
  whileUp(askStorage)();
  return {
    records,
    [Symbol.dispose]: () => {
      timers.forEach(clearInterval);
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

/** What an event of a node says; null when it is none, or one of another node. */
function eventFact(sender: string, kind: string, bytes: Uint8Array, at: number): Fact | null {
  if (kind === 'rejected') {
    const event = orNull(() => decode(rejectedEvent, bytes));
    return event?.node === sender ? { type: 'rejected', event, at } : null;
  }
  if (kind !== 'heartbeat' && kind !== 'goodbye' && kind !== 'stalled') return null;
  const protocol = orNull(() => protocolOf(parseJson(bytes)));
  if (protocol !== null && !isSpoken(protocol)) return { type: 'foreign', node: sender, protocol, at };
  const description = orNull(() => decode(nodeDescription, bytes));
  return description?.node === sender ? { type: kind, description, at } : null;
}
