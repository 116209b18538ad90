import { clusterTest } from '../../../support/cluster/cluster-test.ts';
import { NodeObserver } from '../../../support/cluster/node-observer.ts';

/** Module demo is pushed; `revision` is the running one. */
export const it = clusterTest({ nodes: 3, secondCookie: true })
  .extend('revision', { scope: 'file' }, async ({ cluster }) => (await cluster.push('demo')).revision)
  .extend('nodeObserver', { scope: 'file' }, async ({ cluster }, { onCleanup }) => {
    const nodeObserver = await NodeObserver.connect(cluster);
    onCleanup(() => nodeObserver[Symbol.asyncDispose]());
    return nodeObserver;
  });
