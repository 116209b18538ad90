import { expect, test } from 'vitest';

import { Cluster, type ClusterOptions } from './cluster.ts';
import { waitForConvergence } from './convergence.ts';

/**
 * The tests of one file share a cluster. It starts with the first test and is removed after the last one. A test that fails half
 * way leaves containers stopped, paused or cut off: those that ran at its start run again before the next test.
 */
export function clusterTest(options: ClusterOptions) {
  return test
    .extend('options', { scope: 'file' }, options)
    .extend('cluster', { scope: 'file' }, async ({ options: wanted }, { onCleanup }) => {
      const cluster = await Cluster.start(wanted);
      onCleanup(() => cluster[Symbol.asyncDispose]());
      return cluster;
    })
    .extend('restored', { auto: true }, async ({ cluster, task }, { onCleanup }) => {
      const running = await cluster.running();
      onCleanup(async () => {
        if (task.result?.state !== 'fail') return;
        await cluster.restore(running);
        // The controller and the nodes connect to NATS again.
        const nodes = cluster.nodeNames.filter(name => running.includes(name)).length;
        const wait = ['nodes', '--wait', String(nodes), '--timeout', '10'];
        await expect.poll(async () => (await cluster.hotcast(...wait)).exitCode, { timeout: 60_000 }).toBe(0);
        await waitForConvergence(cluster).catch(() => removeDrifted(cluster));
      });
    });
}

/** Removes the modules that are not on their heads, because other tests wait until all are. */
async function removeDrifted(cluster: Cluster): Promise<void> {
  const { nodes } = (await cluster.status()).result;
  const drifted = new Set(nodes.flatMap(({ state, module }) => (state === 'ok' ? [] : [module])));
  for (const module of drifted) await cluster.hotcast('remove', module);
}
