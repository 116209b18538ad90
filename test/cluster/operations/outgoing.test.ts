import { createHmac } from 'node:crypto';

import * as v from 'valibot';
import { describe, expect } from 'vitest';

import { eventSchema } from '../../../protocol/history/event.ts';
import { decodeValue } from '../../../protocol/values/decode.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';

const SECRET = Buffer.alloc(32, 7);

/** A module of the node itself receives what the controller sends. */
const RECEIVER_URL = 'http://node:8080/receiver';

const it = clusterTest({
  nodes: 1,
  controller: {
    WEBHOOK_URL: `${RECEIVER_URL}/events`,
    WEBHOOK_SECRET: `whsec_${SECRET.toString('base64')}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: RECEIVER_URL,
  },
});

const RECEIVER = `
  const { received } = import.meta.hot.dataOf({ received: [] as object[] });
  export default {
    async fetch(request: Request) {
      const { headers } = request;
      const [id, time, signature] = ['id', 'timestamp', 'signature'].map(name => headers.get('webhook-' + name));
      received.push({ path: new URL(request.url).pathname, signed: id + '.' + time + '.', signature, body: await request.text() });
      return new Response('thanks');
    },
  };
  export const all = () => received;
  export const span = () => import.meta.hot.traceparent;
`;

const receivedSchema = v.array(
  v.object({ path: v.string(), signed: v.string(), signature: v.nullable(v.string()), body: v.string() }),
);

async function received(cluster: Cluster, path: string) {
  const { result } = await cluster.call('receiver.all()');
  const [answer] = result.nodes;
  const all = v.parse(receivedSchema, answer?.status === 'value' ? decodeValue(answer.json) : []);
  return all.filter(each => each.path === path);
}

const span = v.object({ name: v.string(), traceId: v.string(), spanId: v.string() });
const traces = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ resourceSpans: v.tuple([v.object({ scopeSpans: v.tuple([v.object({ spans: v.array(span) })]) })]) }),
);

async function spans(cluster: Cluster) {
  const all = await received(cluster, '/v1/traces');
  return all.flatMap(({ body }) => v.parse(traces, body).resourceSpans[0].scopeSpans[0].spans);
}

const webhook = v.pipe(v.string(), v.parseJson(), v.object({ data: eventSchema }));

describe('the controller sends', () => {
  it('traces of pushes and calls to a collector, and the span of a call to its module', async ({ cluster }) => {
    cluster.writeModule('receiver', RECEIVER);
    await cluster.push('receiver');
    const names = async (): Promise<string[]> => (await spans(cluster)).map(({ name }) => name);
    // A trace is sent once: that of the first push can have come before the collector.
    const pushed = expect.arrayContaining(['push receiver', 'commit fred']) as string[];
    await expect
      .poll(async () => (await cluster.push('receiver', '--force')) && names(), { timeout: 30_000 })
      .toEqual(pushed);
    const { result } = await cluster.call('receiver.span()');
    const [answer] = result.nodes;
    const [, traceId, spanId] = String(answer?.status === 'value' ? decodeValue(answer.json) : '').split('-');
    expect(spanId).toMatch(/^[0-9a-f]{16}$/);
    await expect
      .poll(() => spans(cluster), { timeout: 30_000 })
      .toContainEqual({ name: 'call receiver.span', traceId, spanId });
  });

  it('events to a webhook, signed and in order', async ({ cluster }) => {
    const events = async () => {
      const all = await received(cluster, '/events');
      return all.map(({ signed, signature, body }) => {
        expect(signature).toBe(`v1,${createHmac('sha256', SECRET).update(`${signed}${body}`).digest('base64')}`);
        return v.parse(webhook, body).data;
      });
    };
    const pushed = expect.objectContaining({ kind: 'change', command: 'push', outcome: 'committed' }) as unknown;
    await expect.poll(events, { timeout: 80_000 }).toContainEqual(pushed);
    const all = await events();
    const last = all.at(-1)?.position ?? 0;
    expect(all.map(({ position }) => position)).toEqual(all.map((_, index) => last - all.length + 1 + index));
  });
});
