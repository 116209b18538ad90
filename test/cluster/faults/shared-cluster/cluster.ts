import { clusterTest } from '../../../support/cluster/cluster-test.ts';

export const it = clusterTest({ nodes: 4 });
