import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Event } from '../../../../protocol/history/event.ts';
import { replaceFile } from '../../../../shared/files.ts';
import type { Logger } from '../../../../shared/logger.ts';
import type { Delivery } from '../../commands/context.ts';
import type { Audit } from '../../store/audit.ts';
import { followEvents } from '../../store/follow-events.ts';
import { type Endpoint, post } from './post.ts';

/** After a failure it waits so long, and after each more twice as long, up to a limit (milliseconds). */
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 300_000;

/** An event that the receiver itself rejects is sent so often. */
const MAX_REJECTIONS = 5;

interface WebhookDeps {
  readonly endpoint: Endpoint;
  readonly cookie: string;
  readonly audit: Pick<Audit, 'after' | 'bounds' | 'onWrite'>;
  /** Where it writes which events were delivered. */
  readonly positionFile: string;
  readonly log: Logger;
  /** How much faster than usual it tries again; for tests. */
  readonly haste?: number;
}

export interface Webhook extends AsyncDisposable {
  readonly delivery: () => Delivery;
}

/**
 * Sends each event to a URL, in their order, until it is disposed. An event is sent again until it was taken, so that it can come twice. What
 * waits is in the audit's stream, which drops the oldest. The first time, it begins with what happens from now on; after that, where it
 * was.
 */
export function startWebhook({ endpoint, cookie, audit, positionFile, log, haste = 1 }: WebhookDeps): Webhook {
  const end = new AbortController();
  const { signal } = end;
  const where = endpoint.url.host;
  const rest = (ms: number): Promise<void> => sleep(ms / haste, undefined, { signal }).catch(() => undefined);
  let failure: Delivery['failure'] = null;
  let last: number | null = null;
  let leftOut = 0;
  const failed = (why: string, position: number): void => {
    if (failure === null) log.warn({ where, why, position }, 'an event could not be delivered; it is sent again');
    failure = { why, since: failure?.since ?? Date.now() };
  };

  async function deliver(event: Event): Promise<void> {
    let [waitMs, rejections] = [FIRST_WAIT_MS, 0];
    while (!signal.aborted) {
      const answer = await post(endpoint, cookie, event, signal);
      if (answer.status === 'taken') {
        if (failure !== null) log.info({ where, position: event.position }, 'events are delivered again');
        failure = null;
        return;
      }
      if (signal.aborted) return;
      if (answer.status === 'rejected') rejections += 1;
      if (rejections === MAX_REJECTIONS) {
        log.error({ where, why: answer.why, position: event.position }, 'an event was rejected, and is left out');
        leftOut += 1;
        return;
      }
      failed(answer.why, event.position);
      await rest(waitMs);
      waitMs = Math.min(MAX_WAIT_MS, 2 * waitMs);
    }
  }

  async function firstPosition(): Promise<number> {
    if (existsSync(positionFile)) return Number(readFileSync(positionFile, 'utf8')) || 0;
    for (;;) {
      const bounds = await audit.bounds().catch(() => null);
      if (bounds !== null || signal.aborted) return bounds?.last ?? 0;
      await rest(FIRST_WAIT_MS);
    }
  }

  /** Without it an event comes twice, which receivers have to take anyway. */
  function remember(position: number): void {
    last = position;
    try {
      replaceFile(positionFile, String(position));
    } catch (error) {
      log.warn({ err: error, position }, 'the position of the webhook could not be written');
    }
  }

  async function run(): Promise<void> {
    const from = await firstPosition();
    if (signal.aborted) return;
    remember(from);
    for await (const batch of followEvents(audit, from, { signal, onFault: () => undefined })) {
      if (batch.missing > 0) log.warn({ missing: batch.missing }, 'events were dropped before they were delivered');
      leftOut += batch.missing;
      for (const event of batch.events) {
        await deliver(event);
        if (signal.aborted) return;
        remember(event.position);
      }
    }
  }

  const running = run().catch((error: unknown) => {
    log.error({ err: error, where }, 'no events are delivered any more');
    failure = { why: String(error), since: Date.now() };
  });
  return {
    delivery: () => ({ where, position: last, failure, leftOut }),
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await running;
    },
  };
}
