import { test } from 'vitest';

import { Cluster, type ClusterOptions } from './cluster.ts';

/** The tests of one file share a cluster. It starts with the first test and is removed after the last one. */
export function clusterTest(options: ClusterOptions) {
  return test
    .extend('options', { scope: 'file' }, options)
    .extend('cluster', { scope: 'file' }, async ({ options: wanted }, { onCleanup }) => {
      const cluster = await Cluster.start(wanted);
      onCleanup(() => cluster[Symbol.asyncDispose]());
      return cluster;
    });
}
