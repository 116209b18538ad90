import { createHmac } from 'node:crypto';

import type { Event } from '../../../../protocol/history/event.ts';

/** A receiver has so long to answer (milliseconds). */
const TIMEOUT_MS = 10_000;

/** The answers that say that the event itself is wrong. All others can be of a receiver that is not ready, or not set up well. */
const REJECTIONS: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/** Where events are sent. */
export interface Endpoint {
  readonly url: URL;
  /** The key of the signatures. */
  readonly secret: Uint8Array;
}

/** `rejected`: the receiver has answered that it does not take this event. `failed`: it did not answer, or can't now. */
export type Answer = { readonly status: 'taken' } | { readonly status: 'rejected' | 'failed'; readonly why: string };

/**
 * Sends one event, signed as https://www.standardwebhooks.com says: HMAC-SHA256 of id, time and body. A redirect counts as a failure:
 * nothing is sent to another place than the one that was named.
 */
export async function post(
  { url, secret }: Endpoint,
  cookie: string,
  event: Event,
  signal: AbortSignal,
): Promise<Answer> {
  const { kind, at, position } = event;
  const id = `${cookie}.${position}.${at}`;
  const seconds = Math.floor(Date.now() / 1_000);
  const body = JSON.stringify({ type: `hotcast.${kind}`, timestamp: new Date(at).toISOString(), cookie, data: event });
  const signature = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64');
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'hotcast',
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': `v1,${signature}`,
      },
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    const { ok, status } = response;
    if (ok) return { status: 'taken' };
    return { status: REJECTIONS.has(status) ? 'rejected' : 'failed', why: `HTTP ${status}` };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { status: 'failed', why: cause instanceof Error ? cause.message : String(cause) };
  }
}
