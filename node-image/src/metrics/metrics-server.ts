import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Logger } from '../../../shared/logger.ts';
import { listen } from '../http/listen.ts';
import { createServer } from '../http/web/node-http.ts';
import type { MetricsDeps, nodeMetrics } from './node-metrics.ts';

type Metrics = ReturnType<typeof nodeMetrics>;

interface MetricsServerDeps extends MetricsDeps {
  readonly port: number;
  readonly log: Logger;
}

/**
 * Serves the metrics of a node at `/metrics`. Until somebody asks for the first time, nothing is counted and the library is not loaded,
 * so a node that nobody watches pays nothing.
 *
 * @throws UsageError when the port is taken.
 */
export async function startMetricsServer({ port, log, ...deps }: MetricsServerDeps): Promise<AsyncDisposable> {
  let metrics: Metrics | null = null;
  const answer = async ({ url = '/', method = 'GET' }: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (url.split('?')[0] !== '/metrics' || (method !== 'GET' && method !== 'HEAD')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The metrics are at /metrics.\n');
      return;
    }
    metrics ??= (await import('./node-metrics.ts')).nodeMetrics(deps);
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metrics.contentType }).end(text);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.error({ err: error }, 'the metrics could not be read');
      response.writeHead(500).end();
    });
  });
  await listen(server, { port, setting: 'METRICS_PORT' });
  return {
    [Symbol.asyncDispose]: async () => {
      metrics?.[Symbol.dispose]();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
