import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

export function check() {
  exporter.reset();
  const tracer = provider.getTracer('shop');
  const order = tracer.startSpan('order', { attributes: { user: 'Ada' } });
  const pay = tracer.startSpan('pay', {}, trace.setSpan(context.active(), order));
  pay.setStatus({ code: SpanStatusCode.ERROR }).end();
  order.end();
  return exporter.getFinishedSpans().map(span => ({
    name: span.name,
    status: span.status.code,
    isChild: span.parentSpanContext?.spanId === order.spanContext().spanId,
  }));
}
