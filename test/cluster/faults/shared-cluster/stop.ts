import { describe, expect } from 'vitest';

import type { Cluster } from '../../../support/cluster/cluster.ts';
import { engineEvents } from '../../../support/docker/engine-events.ts';
import { it } from './cluster.ts';

/** Stops a container as `docker stop` does. Returns its exit code, and the duration by the engine's clock (milliseconds). */
async function stop(cluster: Cluster, name: string): Promise<{ exitCode: number; ms: number }> {
  const container = await cluster.container(name);
  const events = await engineEvents(container.id, AbortSignal.timeout(30_000));
  const stopping = container.stop({ t: 20 });
  let signalledAt = Number.NaN;
  for await (const { action, at, attributes } of events) {
    if (action === 'kill' && attributes['signal'] === '15') signalledAt = at;
    if (action !== 'die') continue;
    await stopping;
    return { exitCode: Number(attributes['exitCode']), ms: at - signalledAt };
  }
  throw new Error(`${name} did not stop`);
}

/** A stop waits at most one second for calls; the rest is for a slow machine (milliseconds). */
const MAX_STOP_MS = 3_000;

const SLOW = `
  export function untilStopped() {
    console.log('started');
    return new Promise(resolve => process.once('SIGTERM', () => setTimeout(resolve, 100, 'finished')));
  }
  export function forever() {
    console.log('started');
    return new Promise(() => setInterval(() => {}, 1_000));
  }
`;

describe('a container that is stopped', () => {
  it.for(['fred', 'controller', 'roster'])('ends within 3 s with exit code 0: %s', async (name, { cluster }) => {
    const { exitCode, ms } = await stop(cluster, name);
    expect(exitCode).toBe(0);
    expect(ms).toBeLessThan(MAX_STOP_MS);
    await cluster.startContainer(name);
  });

  it('ends within 3 s with exit code 0 also when NATS is killed at the same time', async ({ cluster }) => {
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

  it('sends the answers of calls that end in time', async ({ cluster }) => {
    cluster.writeModule('slow', SLOW);
    await cluster.push('slow');
    const inFlight = cluster.call('slow.untilStopped()', '--node', 'bambam', '--timeout', '30');
    await cluster.waitForLog('bambam', ({ msg, module }) => module === 'slow' && msg === 'started');
    expect((await stop(cluster, 'bambam')).exitCode).toBe(0);
    const { exitCode, result } = await inFlight;
    await cluster.startContainer('bambam');
    expect(exitCode).toBe(0);
    expect(result.nodes).toMatchObject([{ node: 'bambam', json: '"finished"' }]);
  });

  it('does not wait for a call that never ends', async ({ cluster }) => {
    cluster.writeModule('slow', SLOW);
    await cluster.push('slow');
    const inFlight = cluster.call('slow.forever()', '--node', 'fred', '--timeout', '5');
    await cluster.waitForLog('fred', ({ msg, module }) => module === 'slow' && msg === 'started');
    const { exitCode, ms } = await stop(cluster, 'fred');
    expect(exitCode).toBe(0);
    expect(ms).toBeLessThan(MAX_STOP_MS);
    expect((await inFlight).result.nodes).toMatchObject([{ node: 'fred', status: 'silent' }]);
    await cluster.startContainer('fred');
  });
});
