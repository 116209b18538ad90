import { test } from 'vitest';

import { Cluster, type ClusterSize } from './cluster.ts';

/** Tests of one file share a cluster, which starts with the first of them and ends with the file. */
export function clusterTest(size: ClusterSize) {
  return test
    .extend('size', { scope: 'file' }, size)
    .extend('cluster', { scope: 'file' }, async ({ size: wanted }, { onCleanup }) => {
      const cluster = await Cluster.start(wanted);
      onCleanup(() => cluster[Symbol.asyncDispose]());
      return cluster;
    });
}
