import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';

import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Command } from '../../../../controller/src/api/command.ts';
import type { PushResult, Result } from '../../../../controller/src/api/results.ts';
import { startTracing, type Tracing } from '../../../../controller/src/server/tracing/traced.ts';
import { UnavailableError, UsageError } from '../../../../protocol/errors.ts';
import { traceparent as traceparentSchema } from '../../../../protocol/schemas.ts';
import { headOf, recordingLog } from '../../fixtures.ts';

/** What OTLP asks of a request, as far as this uses it. */
const requestSchema = v.strictObject({
  resourceSpans: v.tuple([
    v.strictObject({
      resource: v.strictObject({ attributes: v.array(v.unknown()) }),
      scopeSpans: v.tuple([
        v.strictObject({
          scope: v.strictObject({ name: v.string(), version: v.string() }),
          spans: v.array(
            v.strictObject({
              traceId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
              spanId: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
              parentSpanId: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/))),
              name: v.string(),
              kind: v.literal(1),
              startTimeUnixNano: v.pipe(v.string(), v.regex(/^\d{19}$/)),
              endTimeUnixNano: v.pipe(v.string(), v.regex(/^\d{19}$/)),
              attributes: v.array(
                v.strictObject({
                  key: v.string(),
                  value: v.union([
                    v.strictObject({ stringValue: v.string() }),
                    v.strictObject({ doubleValue: v.number() }),
                  ]),
                }),
              ),
              status: v.strictObject({ code: v.optional(v.literal(2)), message: v.optional(v.string()) }),
            }),
          ),
        }),
      ]),
    }),
  ]),
});

type SpanData = v.InferOutput<typeof requestSchema>['resourceSpans'][0]['scopeSpans'][0]['spans'][number];

let collector: Server;
let tracing: Tracing;
let requests: { readonly url: string; readonly headers: IncomingHttpHeaders; readonly spans: SpanData[] }[] = [];
let status = 200;
const log = recordingLog();

beforeEach(async () => {
  [requests, status] = [[], 200];
  log.logged.length = 0;
  collector = createServer((request, response) => void collect(request, response));
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const address = collector.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const endpoint = new URL(`http://127.0.0.1:${port}/otel/`);
  tracing = startTracing({ endpoint, headers: { 'x-key': 'a b' } }, 'dino', log);
});

async function collect(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { resourceSpans } = v.parse(requestSchema, JSON.parse(await text(request)));
  const { url = '', headers } = request;
  requests.push({ url, headers, spans: resourceSpans[0].scopeSpans[0].spans });
  response.writeHead(status).end('{}');
}

afterEach(() => {
  tracing[Symbol.dispose]();
  collector.closeAllConnections();
  collector.close();
});

const common = { cookie: null, timeoutMs: 5_000 };
const push: Command = {
  ...common,
  type: 'push',
  modules: ['demo'],
  author: 'wilma',
  change: '0b5e6f7c-3d8a-4c1e-9f2b-7a6d5c4b3a29',
  force: false,
  check: true,
  dryRun: false,
  canary: null,
};
const pushed: PushResult = {
  command: 'push',
  modules: [{ module: 'demo', revision: 'f'.repeat(64) }],
  unchanged: [],
  affected: [],
  outcome: 'committed',
  detail: '',
  nodes: [
    { node: 'fred', status: 'loaded', ms: 1 },
    { node: 'betty', status: 'silent' },
  ],
  times: { compile: 300, prepare: 60, write: 4, commit: 38, skew: 9 },
};

/** The spans of a command, by their names. */
async function traceOf(command: Command, result: () => Promise<Result>) {
  await tracing
    .run(
      command,
      () => undefined,
      async (_, report) => {
        for (const [phase, nodes] of [
          ['prepare', ['fred', 'betty']],
          ['commit', ['fred']],
        ] as const)
          nodes.forEach((node, index) => report({ type: 'progress', phase, answered: index + 1, expected: 2, node }));
        return result();
      },
    )
    .catch(() => undefined);
  await expect.poll(() => requests.length).toBe(1);
  return new Map(requests[0]?.spans.map(span => [span.name, span]));
}

const attributeOf = (span: SpanData | undefined, name: string): unknown =>
  Object.values(span?.attributes.find(({ key }) => key === name)?.value ?? {})[0];

describe('a trace', () => {
  it('has a push, its phases, and each node in them', async () => {
    const spans = await traceOf(push, async () => pushed);
    expect([...spans.keys()]).toEqual([
      'push demo',
      'compile',
      'prepare',
      'prepare fred',
      'prepare betty',
      'write',
      'commit',
      'commit fred',
    ]);
    const root = spans.get('push demo');
    expect(root?.parentSpanId).toBeUndefined();
    expect(new Set([...spans.values()].map(({ traceId }) => traceId)).size).toBe(1);
    expect(spans.get('prepare')?.parentSpanId).toBe(root?.spanId);
    expect(spans.get('prepare betty')?.parentSpanId).toBe(spans.get('prepare')?.spanId);
    const { startTimeUnixNano: start = '0', endTimeUnixNano: end = '0' } = spans.get('prepare') ?? {};
    expect(Number(BigInt(end) - BigInt(start)) / 1e6).toBeCloseTo(60, 1);
    expect(attributeOf(root, 'hotcast.outcome')).toBe('committed');
    expect(attributeOf(root, 'hotcast.author')).toBe('wilma');
    expect(attributeOf(root, 'hotcast.skew_ms')).toBe(9);
    expect(attributeOf(spans.get('commit fred'), 'hotcast.status')).toBe('loaded');
    expect(root?.status).toEqual({});
    expect(requests[0]).toMatchObject({ url: '/otel/v1/traces', headers: { 'x-key': 'a b' } });
  });

  it('says why a push failed, and on which node', async () => {
    const refused = { node: 'fred', status: 'refused', reason: 'badfile', detail: 'no such file' } as const;
    const spans = await traceOf(push, async () => ({
      ...pushed,
      outcome: 'reverted',
      detail: 'back',
      nodes: [refused],
    }));
    expect(spans.get('push demo')?.status).toEqual({ code: 2, message: 'reverted: back' });
    expect(spans.get('commit fred')?.status).toEqual({ code: 2, message: 'refused: no such file' });
  });

  it('has a command that failed, too', async () => {
    const spans = await traceOf(push, () => Promise.reject(new UsageError('demo.ts:1: no')));
    expect([...spans.values()].map(({ name, status: { message } }) => [name, message])).toEqual([
      ['push demo', 'demo.ts:1: no'],
    ]);
  });

  it('is a part of the one that its caller names, and goes on in what it calls', async () => {
    const caller = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    let given: string | undefined;
    const call: Command = {
      ...common,
      type: 'call',
      call: 'demo.add(1)',
      node: null,
      stack: false,
      traceparent: caller,
    };
    await tracing.run(
      call,
      () => undefined,
      async ({ traceparent }) => {
        given = traceparent;
        return { command: 'call', call: 'demo.add(1)', single: false, stack: false, nodes: [] };
      },
    );
    await expect.poll(() => requests.length).toBe(1);
    const [root] = requests[0]?.spans ?? [];
    expect(root).toMatchObject({ name: 'call demo.add', traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16) });
    expect(given).toBe(`00-${root?.traceId}-${root?.spanId}-01`);
    expect(v.is(traceparentSchema, given)).toBe(true);
  });

  it('is not made of a command that only looks', async () => {
    await tracing.run(
      { ...common, type: 'ping', node: null },
      () => undefined,
      async () => ({ command: 'ping', nodes: [] }),
    );
    await traceOf(push, async () => pushed);
    expect(requests).toHaveLength(1);
  });

  it('has what the controller does by itself, and what it goes back from', async () => {
    const head = { ...headOf('demo', 'e'.repeat(64), 3), push: 'a rollback', revertOf: 'a push' };
    const trace = tracing.trace('rollback (canary)', [head], 'automatic rollback: 4 errors in 80 calls');
    for (const node of ['fred', 'betty']) trace.onAnswer('commit', node);
    const refused = { node: 'betty', status: 'refused', reason: 'badfile', detail: 'no such file' } as const;
    const nodes = [{ node: 'fred', status: 'loaded', ms: 1 } as const, refused];
    trace.end({ outcome: 'committed', detail: '', nodes, ms: 40, skew: 2 });
    await expect.poll(() => requests.length).toBe(1);
    const spans = new Map(requests[0]?.spans.map(span => [span.name, span]));
    expect([...spans.keys()]).toEqual(['rollback (canary) demo', 'commit', 'commit fred', 'commit betty']);
    const root = spans.get('rollback (canary) demo');
    expect(root).toMatchObject({ status: {} });
    expect(
      ['author', 'outcome', 'change', 'reverts', 'message'].map(each => attributeOf(root, `hotcast.${each}`)),
    ).toEqual(['hotcast', 'committed', 'a rollback', 'a push', 'automatic rollback: 4 errors in 80 calls']);
    expect(spans.get('commit')?.parentSpanId).toBe(root?.spanId);
    expect(spans.get('commit betty')).toMatchObject({
      parentSpanId: spans.get('commit')?.spanId,
      status: { code: 2, message: 'refused: no such file' },
    });
  });

  it('of what the controller does by itself says why nothing is known of it', async () => {
    const head = headOf('demo', 'e'.repeat(64), 3);
    tracing.trace('rollback (watchdog)', [head], 'stalled on fred').end(new UnavailableError('NATS does not answer'));
    await expect.poll(() => requests.length).toBe(1);
    expect(requests[0]?.spans).toMatchObject([
      { name: 'rollback (watchdog) demo', status: { code: 2, message: 'NATS does not answer' } },
    ]);
  });

  it('that can not be sent is dropped, and logged once, without its key', async () => {
    status = 503;
    for (const _ of [1, 2, 3])
      await tracing.run(
        push,
        () => undefined,
        async () => pushed,
      );
    await expect.poll(() => requests.length).toBe(3);
    await expect.poll(() => log.logged.length).toBe(1);
    expect(JSON.stringify(log.logged)).not.toContain('a b');
  });
});
