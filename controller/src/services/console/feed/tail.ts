import { randomUUID } from 'node:crypto';

import type { NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../../../../protocol/codec.ts';
import {
  type LogEntry,
  logMessage,
  MAX_LOG_MESSAGE_BYTES,
  MAX_TAIL_RATE,
  TAIL_RENEWAL_MS,
  type TailRequest,
} from '../../../../../protocol/logs.ts';
import { lastToken, subjectsOf } from '../../../../../protocol/subjects.ts';
import { orNull } from './records.ts';

/** So many lines a second all nodes together send. */
const FLEET_RATE = 200;

/** What one node has logged. `dropped`: how many entries exceeded the rate. */
export interface Logged {
  readonly node: string;
  readonly entries: readonly LogEntry[];
  readonly dropped: number;
}

type Listener = (logged: Logged) => void;

/** The logs of all modules, which nodes send only while somebody listens. All who listen share one lease. */
export function createTail(nats: NatsConnection, cookie: string, nodeCount: () => number) {
  const subjects = subjectsOf(cookie);
  const listeners = new Set<Listener>();
  const id = randomUUID();
  let stop: (() => void) | null = null;

  const ask = (rate: number): void => {
    const request: TailRequest = { id, rate, modules: [], level: 'info', grep: '' };
    if (!nats.isClosed()) nats.publish(subjects.all('tail'), encode(request));
  };
  const renew = (): void => ask(Math.min(MAX_TAIL_RATE, FLEET_RATE / Math.max(1, nodeCount())));
  const start = (): (() => void) => {
    const subscription = nats.subscribe(subjects.logs, {
      callback: (error, { subject, data }) => {
        if (error !== null || data.length > MAX_LOG_MESSAGE_BYTES) return;
        const message = orNull(() => decode(logMessage, data));
        if (message === null) return;
        const logged = { node: lastToken(subject), entries: message.entries, dropped: message.dropped };
        for (const listener of listeners) listener(logged);
      },
    });
    renew();
    const timer = setInterval(renew, TAIL_RENEWAL_MS);
    return () => {
      clearInterval(timer);
      subscription.unsubscribe();
      ask(0);
    };
  };
  return {
    /** Listens until the result is called. */
    listen(listener: Listener): () => void {
      listeners.add(listener);
      stop ??= start();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stop?.();
        stop = null;
      };
    },
    [Symbol.dispose]: () => {
      stop?.();
      stop = null;
    },
  };
}

export type Tail = ReturnType<typeof createTail>;
