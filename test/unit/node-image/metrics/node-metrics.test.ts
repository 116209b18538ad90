import { describe, expect, it } from 'vitest';

import { startMetricsServer } from '../../../../node-image/src/metrics/metrics-server.ts';
import type { MetricsDeps } from '../../../../node-image/src/metrics/node-metrics.ts';
import { describeOwned } from '../../../../node-image/src/modules/package-use/owned.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { startHttpServer } from '../../../../node-image/src/http/server.ts';
import { headOf, recordingLog } from '../../fixtures.ts';
import { freePort } from '../../../support/free-port.ts';
import { hosts } from '../modules/host.ts';
import { packageNodes } from '../packages/package-nodes.ts';
import { bundleWith, FixtureStream } from '../packages/package-set.ts';

const host = hosts();
const nodes = packageNodes();

const DEMO = `
  export const add = (a: number, b: number): number => a + b;
  export const wait = () => new Promise(() => undefined);
  export function fail() { throw new Error('no'); }
  setInterval(() => undefined, 3_600_000);
  export default { fetch: () => new Response('gone', { status: 410 }) };
`;

const NO_PACKAGES = { exportsOf: (): unknown[] => [] };

type Metrics = AsyncDisposable & { readonly read: () => Promise<ReadonlyMap<string, number>> };

async function metricsOf(codeServer: CodeServer, packages: MetricsDeps['packages'] = NO_PACKAGES): Promise<Metrics> {
  const port = await freePort();
  const server = await startMetricsServer({ port, node: 'fred', codeServer, packages, log: recordingLog() });
  const read = async (): Promise<ReadonlyMap<string, number>> => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
  };
  return { read, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe('the metrics of a node', () => {
  it('count calls and failures by module, over swaps, from the first time that they are read', async () => {
    const node = host();
    await node.push({ demo: DEMO });
    await using metrics = await metricsOf(node.server);
    await node.call('demo', 'add', 1, 2);
    await metrics.read();
    await node.call('demo', 'add', 1, 2);
    await node.push({ demo: `${DEMO} // edited` });
    await node.call('demo', 'fail');
    const samples = await metrics.read();
    expect(samples.get('hotcast_node_call_duration_seconds_count{node="fred",module="demo"}')).toBe(2);
    expect(samples.get('hotcast_node_call_errors_total{module="demo",node="fred"}')).toBe(1);
    expect(samples.get('hotcast_node_module_changes_total{node="fred"}')).toBe(2);
    expect(samples.get('nodejs_heap_size_used_bytes{node="fred"}')).toBeGreaterThan(1_000_000);
  });

  it('have how long the event loop was held since the last reading', async () => {
    const node = host();
    await using metrics = await metricsOf(node.server);
    const delay = (samples: ReadonlyMap<string, number>, part: string) =>
      samples.get(`nodejs_eventloop_lag_${part}_seconds{node="fred"}`) ?? NaN;
    const turns = () => new Promise(resolve => setTimeout(resolve, 25));
    // What comes before the first turn after a reading is not measured.
    await metrics.read().then(turns);
    const blockedUntil = performance.now() + 300;
    while (performance.now() < blockedUntil);
    await turns();
    const samples = await metrics.read();
    expect(delay(samples, 'max')).toBeGreaterThan(0.25);
    expect(delay(samples, 'p50')).toBeLessThanOrEqual(delay(samples, 'max'));
    await expect.poll(async () => delay(await metrics.read(), 'max')).toBeLessThan(0.25);
  });

  it('have HTTP responses by status', async () => {
    const node = host();
    await node.push({ demo: DEMO });
    await using metrics = await metricsOf(node.server);
    await metrics.read();
    await using http = await startHttpServer({ port: 0, node: 'fred', codeServer: node.server });
    await (await fetch(`http://127.0.0.1:${http.port}/demo/`)).text();
    const responses = 'hotcast_node_http_responses_total{module="demo",code="410",node="fred"}';
    await expect.poll(async () => (await metrics.read()).get(responses)).toBe(1);
  });

  it('have what the versions of a module hold, and nothing of a module that was removed', async () => {
    const node = host();
    await node.push({ demo: DEMO });
    await using metrics = await metricsOf(node.server);
    void node.call('demo', 'wait');
    await node.push({ demo: `${DEMO} // edited` });
    const samples = await metrics.read();
    expect(samples.get('hotcast_node_versions{module="demo",state="current",node="fred"}')).toBe(1);
    expect(samples.get('hotcast_node_versions{module="demo",state="draining",node="fred"}')).toBe(1);
    expect(samples.get('hotcast_node_calls_in_flight{module="demo",node="fred"}')).toBe(1);
    expect(samples.get('hotcast_node_timers{module="demo",node="fred"}')).toBe(2);
    const open = Object.entries(describeOwned(node.server.owned));
    const each = [expect.stringMatching(/^demo@[0-9a-f]{12}$/), { timers: 1, sockets: 0 }];
    expect(open).toEqual([each, each]);
    await node.call('demo', 'fail');
    node.server.purge('demo');
    node.commit('demo', null);
    await node.push({ other: 'export const one = 1;' });
    expect([...(await metrics.read()).keys()].filter(name => name.includes('"demo"'))).toEqual([]);
  });

  it('include those that modules have registered with prom-client', async () => {
    const { packages, resources } = nodes.node();
    const server = new CodeServer(recordingLog(), { packages, resources });
    const stream = new FixtureStream();
    const register = `{ metrics: async () => '# TYPE orders_total counter\\norders_total 7\\n' }`;
    const hash = stream.add({ 'prom-client': { files: { 'index.js': `exports.register = ${register};` } } });
    const bundle = bundleWith(hash, `require('prom-client');`);
    const readiness = await packages.prepare(bundle, stream);
    server.prepare(bundle, readiness.status === 'ready' ? readiness.set : null);
    expect(server.commit([headOf('demo', bundle.revision, 1)])).toMatchObject({ status: 'ok' });
    await using metrics = await metricsOf(server, packages);
    expect((await metrics.read()).get('orders_total')).toBe(7);
  });

  it('are at one path alone', async () => {
    const port = await freePort();
    const deps = { node: 'fred', codeServer: new CodeServer(recordingLog()), packages: NO_PACKAGES };
    await using _server = await startMetricsServer({ ...deps, port, log: recordingLog() });
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(404);
    await expect(startMetricsServer({ ...deps, port, log: recordingLog() })).rejects.toThrow(
      `port ${port} is taken: set METRICS_PORT to a free port`,
    );
  });
});
