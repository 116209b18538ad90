import { test } from 'vitest';

import { Cluster, type ClusterOptions } from './cluster.ts';

/** Tests of one file share a cluster, which starts with the first of them and ends with the file. */
export function clusterTest(options: ClusterOptions) {
  return test
    .extend('options', { scope: 'file' }, options)
    .extend('cluster', { scope: 'file' }, async ({ options: wanted }, { onCleanup }) => {
      const cluster = await Cluster.start(wanted);
      onCleanup(() => cluster[Symbol.asyncDispose]());
      return cluster;
    });
}
