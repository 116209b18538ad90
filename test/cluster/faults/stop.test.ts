import { describe, expect } from 'vitest';

import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { engineEvents } from '../../support/docker.ts';

const it = clusterTest({ nodes: 2 });

/** Stops a container as `docker stop` does; gives its exit code, and how long it took by the engine's clock. */
async function stop(cluster: Cluster, name: string): Promise<{ exitCode: number; ms: number }> {
  const container = await cluster.container(name);
  const events = await engineEvents(container.id, AbortSignal.timeout(30_000));
  const stopping = container.stop({ t: 20 });
  let toldAt = Number.NaN;
  for await (const { action, at, attributes } of events) {
    if (action === 'kill' && attributes['signal'] === '15') toldAt = at;
    if (action !== 'die') continue;
    await stopping;
    return { exitCode: Number(attributes['exitCode']), ms: at - toldAt };
  }
  throw new Error(`${name} did not stop`);
}

/** A call takes at most a second of a stop; the rest is for a slow machine (milliseconds). */
const SOON = 3_000;

const SLOW = `
  export function untilStopped() {
    console.log('begun');
    return new Promise(resolve => process.once('SIGTERM', () => setTimeout(resolve, 100, 'finished')));
  }
  export function forever() {
    console.log('begun');
    return new Promise(() => setInterval(() => {}, 1_000));
  }
`;

describe('stop', () => {
  it.for(['fred', 'controller', 'roster'])('ends cleanly and soon: %s', async (name, { cluster }) => {
    const { exitCode, ms } = await stop(cluster, name);
    expect(exitCode).toBe(0);
    expect(ms).toBeLessThan(SOON);
    const startedAt = Date.now();
    await (await cluster.container(name)).start();
    await cluster.logged(name, ({ msg }) => msg === 'ready', startedAt);
  });

  it('ends cleanly and soon also when NATS goes away meanwhile', async ({ cluster }) => {
    const killedAt = Date.now();
    const [{ exitCode, ms }] = await Promise.all([stop(cluster, 'fred'), cluster.kill('nats')]);
    expect(exitCode).toBe(0);
    expect(ms).toBeLessThan(SOON);
    expect((await cluster.logsOf('fred')).at(-1)).toMatchObject({ msg: 'stopped' });

    await (await cluster.container('nats')).start();
    await Promise.all([
      cluster.startAgain('fred'),
      ...['controller', 'bambam'].map(name =>
        cluster.logged(name, ({ msg }) => msg === 'reconnected to NATS', killedAt),
      ),
    ]);
  });

  it('lets a call that ends in time answer', async ({ cluster }) => {
    cluster.writeModule('slow', SLOW);
    await cluster.push('slow');
    const inFlight = cluster.call('slow.untilStopped()', '--node', 'bambam', '--timeout', '30');
    await cluster.logged('bambam', ({ msg }) => msg === 'begun');
    expect((await stop(cluster, 'bambam')).exitCode).toBe(0);
    const { exitCode, result } = await inFlight;
    expect(exitCode).toBe(0);
    expect(result.nodes).toMatchObject([{ node: 'bambam', json: '"finished"' }]);
  });

  it('does not wait for a call that never ends', async ({ cluster }) => {
    cluster.writeModule('slow', SLOW);
    await cluster.push('slow');
    const inFlight = cluster.call('slow.forever()', '--node', 'fred', '--timeout', '5');
    await cluster.logged('fred', ({ msg }) => msg === 'begun');
    const { exitCode, ms } = await stop(cluster, 'fred');
    expect(exitCode).toBe(0);
    expect(ms).toBeLessThan(SOON);
    expect((await inFlight).result.nodes).toMatchObject([{ node: 'fred', status: 'silent' }]);
  });
});
