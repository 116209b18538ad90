import type { Logger } from '../../../../shared/logger.ts';
import { LogThrottle } from '../../../../shared/rates/log-throttle.ts';
import type { Span } from './spans.ts';

/** A collector has so long to answer (milliseconds). */
const TIMEOUT_MS = 5_000;

/** Traces that wait for a collector beyond so many are dropped. */
const MAX_WAITING = 20;

export interface Collector {
  /** To which `/v1/traces` is added. */
  readonly endpoint: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends traces to a collector of OpenTelemetry, by OTLP with JSON over HTTP. One that can't be sent is dropped, and that is logged. */
export function otlpExporter({ endpoint, headers }: Collector, service: Readonly<Record<string, string>>, log: Logger) {
  const url = new URL(`${endpoint.pathname.replace(/\/$/, '')}/v1/traces`, endpoint);
  const throttle = new LogThrottle();
  const waiting = new Set<Promise<void>>();
  const end = new AbortController();

  async function send(spans: readonly Span[]): Promise<void> {
    const signal = AbortSignal.any([end.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const body = JSON.stringify(tracesData(spans, service));
    const all = { ...headers, 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', body, headers: all, redirect: 'manual', signal });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
  }

  return {
    export(spans: readonly Span[]): void {
      if (waiting.size >= MAX_WAITING) return;
      const sending = send(spans).catch((error: unknown) => {
        const count = throttle.count('failed');
        if (count !== null) log.warn({ err: error, where: url.host, count }, 'a trace could not be sent');
      });
      waiting.add(sending);
      void sending.finally(() => waiting.delete(sending));
    },
    [Symbol.dispose]: () => end.abort(),
  };
}

/** The message of OTLP: https://opentelemetry.io/docs/specs/otlp/#otlphttp-request */
function tracesData(spans: readonly Span[], service: Readonly<Record<string, string>>) {
  const scope = { name: 'hotcast', version: service['service.version'] };
  const scopeSpans = [{ scope, spans: spans.map(spanData) }];
  return { resourceSpans: [{ resource: { attributes: attributesData(service) }, scopeSpans }] };
}

/** `SPAN_KIND_INTERNAL`, and `STATUS_CODE_ERROR`. */
const [INTERNAL, ERROR] = [1, 2];

function spanData({ name, traceId, spanId, parentId, startedAt, endedAt, attributes, error }: Span) {
  return {
    traceId,
    spanId,
    ...(parentId === '' ? {} : { parentSpanId: parentId }),
    name,
    kind: INTERNAL,
    startTimeUnixNano: nanoseconds(startedAt),
    endTimeUnixNano: nanoseconds(endedAt),
    attributes: attributesData(attributes),
    status: error === null ? {} : { code: ERROR, message: error },
  };
}

function attributesData(attributes: Span['attributes']) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { doubleValue: value },
  }));
}

function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
}
