import { describe, expect } from 'vitest';

import type { Cluster } from '../../../support/cluster/cluster.ts';
import { engineEvents } from '../../../support/docker/engine-events.ts';
import { it } from './cluster.ts';

/** Stops a container as `docker stop` does, with its grace of 10 s. Returns its exit code, and the duration by the engine's clock (milliseconds). */
async function stop(cluster: Cluster, name: string): Promise<{ exitCode: number; ms: number }> {
  const container = await cluster.container(name);
  const events = await engineEvents(container.id, AbortSignal.timeout(30_000));
  const stopping = container.stop({ t: 10 });
  let signalledAt = Number.NaN;
  for await (const { action, at, attributes } of events) {
    if (action === 'kill' && attributes['signal'] === '15') signalledAt = at;
    if (action !== 'die') continue;
    await stopping;
    return { exitCode: Number(attributes['exitCode']), ms: at - signalledAt };
  }
  throw new Error(`${name} did not stop`);
}

/** A stop without calls in flight takes less than half a second; the rest is for a slow machine (milliseconds). */
const MAX_STOP_MS = 7_000;

const SLOW = `
  const { data, dispose, signal } = import.meta.hot;
  data['name'] = 'slow';
  signal.addEventListener('abort', () => console.log('signal: ' + signal.reason.message));
  dispose(async ({ name }) => { await null; console.log('disposed ' + name); });
  export function twoSeconds() {
    console.log('started');
    return new Promise(resolve => setTimeout(() => { console.log('ended'); resolve('finished'); }, 2_000));
  }
  export function forever() {
    console.log('started');
    return new Promise(() => setInterval(() => {}, 1_000));
  }
`;

describe('a container that is stopped', () => {
  it.for(['fred', 'controller', 'roster'])('ends at once with exit code 0: %s', async (name, { cluster }) => {
    const { exitCode, ms } = await stop(cluster, name);
    expect(exitCode).toBe(0);
    expect(ms).toBeLessThan(MAX_STOP_MS);
    await cluster.startContainer(name);
  });

  it('ends at once with exit code 0 also when NATS is killed at the same time', async ({ cluster }) => {
    const killedAt = Date.now();
    const [{ exitCode, ms }] = await Promise.all([stop(cluster, 'fred'), cluster.kill('nats')]);
    expect(exitCode).toBe(0);
    expect(ms).toBeLessThan(MAX_STOP_MS);
    expect((await cluster.logsOf('fred')).at(-1)).toMatchObject({ msg: 'stopped' });

    await (await cluster.container('nats')).start();
    await Promise.all([
      cluster.startContainer('fred'),
      ...['controller', ...cluster.nodeNames.slice(1)].map(name =>
        cluster.waitForLog(name, ({ msg }) => msg === 'reconnected to NATS', killedAt),
      ),
    ]);
  });

  it('answers calls that end in half of the time and cuts the others, then ends its versions; no push expects it', async ({
    cluster,
  }) => {
    cluster.writeModule('slow', SLOW);
    await cluster.push('slow');
    const linesOf = async (name: string): Promise<string[]> =>
      (await cluster.logsOf(name)).flatMap(({ module, msg }) => (module === 'slow' ? [msg] : []));
    const called = async (name: string, call: string) => {
      const result = cluster.call(call, '--node', name, '--timeout', '30');
      await cluster.waitForLog(name, ({ module, msg }) => module === 'slow' && msg === 'started');
      return { result };
    };
    const ending = await called('bambam', 'slow.twoSeconds()');
    const endless = await called('fred', 'slow.forever()');
    const stopped = Promise.all([stop(cluster, 'bambam'), stop(cluster, 'fred')]);

    const staying = cluster.nodeNames.slice(2);
    const listed = async () => (await cluster.nodes()).map(({ node }) => node);
    await expect.poll(listed).toEqual(staying);
    cluster.writeModule('other', 'export const nothing = 1;');
    const push = await cluster.push('other');
    expect(push.result.nodes).toMatchObject(staying.map(node => ({ node, status: 'loaded' })));
    expect(push.exitCode).toBe(0);

    const [bambam, fred] = await stopped;
    expect(await linesOf('bambam')).toEqual(['loaded', 'started', 'ended', 'signal: the node stops', 'disposed slow']);
    expect((await ending.result).result.nodes).toMatchObject([{ node: 'bambam', json: '"finished"' }]);
    expect(bambam.exitCode).toBe(0);

    expect(await linesOf('fred')).toEqual(['loaded', 'started', 'signal: the node stops', 'disposed slow']);
    expect((await endless.result).result.nodes).toMatchObject([{ node: 'fred', status: 'error', type: 'purged' }]);
    expect(fred.exitCode).toBe(0);
    expect(fred.ms).toBeGreaterThan(3_500);
    await Promise.all([cluster.startContainer('bambam'), cluster.startContainer('fred')]);
  });
});
