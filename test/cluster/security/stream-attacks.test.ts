import { jetstreamManager } from '@nats-io/jetstream';
import { describe, expect } from 'vitest';

import { streamOf, subjectsOf } from '../../../protocol/subjects.ts';
import { Attacker } from '../../support/attack/attacker.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { captureMessages } from '../../support/attack/captured-messages.ts';
import { runningRevisions } from '../../support/cluster/convergence.ts';
import { versionSource } from '../../support/cluster/module-sources.ts';
import { openStream } from '../../support/cluster/open-stream.ts';
import { NodeObserver } from '../../support/cluster/node-observer.ts';

const it = clusterTest({ nodes: 3 })
  .extend('captured', { scope: 'file' }, async ({ cluster }) =>
    captureMessages(cluster, 'safe', [versionSource('old'), versionSource('good')]),
  )
  .extend('attacker', { scope: 'file' }, async ({ cluster }, { onCleanup }) => {
    const attacker = await Attacker.as(cluster, 'controller');
    onCleanup(() => attacker[Symbol.asyncDispose]());
    return attacker;
  });

/** Resolves when a controller has restored the newest heads. */
const waitForRestoredHeads = (cluster: Cluster, after: number) =>
  cluster.waitForLog('controller', ({ msg }) => msg.startsWith('the newest heads were overwritten'), after);

describe("a client with the controller's NATS credentials and without its signing key", () => {
  it.for(['an old head', 'a head without a signature'])(
    'changes nothing when it writes %s to the stream, and a controller restores the newest head',
    async (kind, { cluster, captured, attacker }) => {
      await using nodeObserver = await NodeObserver.connect(cluster);
      const snapshot = await nodeObserver.snapshot();
      const startedAt = Date.now();
      const head = subjectsOf(cluster.cookie).head(captured.module);
      attacker.nats.publish(head, kind === 'a head without a signature' ? '{}' : captured.oldHead);
      await attacker.nats.flush();
      await waitForRestoredHeads(cluster, startedAt);
      expect((await cluster.status()).exitCode).toBe(0);
      expect(await nodeObserver.snapshot()).toEqual(snapshot);
      await cluster.addNodes(1);
      expect(await runningRevisions(cluster, captured.module)).toEqual([captured.revision]);
      const history = await cluster.history(captured.module);
      expect(history.map(({ sequence }) => sequence)).toEqual([...new Set(history.map(({ sequence }) => sequence))]);
    },
  );

  it('can replace a stored bundle, so that new nodes lack this module until the next push', async ({
    cluster,
    captured,
    attacker,
  }) => {
    cluster.writeModule('other', versionSource('other'));
    const other = await cluster.push('other');
    const subject = subjectsOf(cluster.cookie).bundle(captured.module, captured.revision);
    attacker.nats.publish(subject, 'not a bundle');
    await attacker.nats.flush();
    await cluster.addNodes(1);
    const name = cluster.nodeNames.at(-1) ?? '';
    const loaded = async () => (await cluster.revisions())[name];
    await expect.poll(loaded).toEqual({ other: other.revision });
    const pushed = await cluster.push(captured.module);
    expect(pushed).toMatchObject({ exitCode: 0, revision: captured.revision });
    expect(await runningRevisions(cluster, captured.module)).toEqual([captured.revision]);
    await using stream = await openStream(cluster);
    expect(await stream.store.bundle({ module: captured.module, revision: captured.revision })).not.toBeNull();
  });

  it('can delete the history with a purge of the stream, but changes no node', async ({
    cluster,
    captured,
    attacker,
  }) => {
    await using nodeObserver = await NodeObserver.connect(cluster);
    const snapshot = await nodeObserver.snapshot();
    const manager = await jetstreamManager(attacker.nats, { checkAPI: false });
    await manager.streams.purge(streamOf(cluster.cookie));
    const { result } = await cluster.call('safe.version()');
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '"good"' })));
    expect(await nodeObserver.snapshot()).toEqual(snapshot);
    for (const module of [captured.module, 'other']) expect((await cluster.push(module)).exitCode).toBe(0);
    expect((await cluster.status()).exitCode).toBe(0);
  });

  it('can change the configuration of the stream until a controller starts', async ({ cluster, attacker }) => {
    const manager = await jetstreamManager(attacker.nats, { checkAPI: false });
    const name = streamOf(cluster.cookie);
    await manager.streams.update(name, { subjects: [`hotcast.${cluster.cookie}.elsewhere`] });
    const startedAt = Date.now();
    await (await cluster.container('controller')).restart({ t: 2 });
    await cluster.waitForLog('controller', ({ msg }) => msg === 'ready', startedAt);
    cluster.writeModule('safe', versionSource('next'));
    expect((await cluster.push('safe')).exitCode).toBe(0);
    expect((await cluster.status()).exitCode).toBe(0);
  });
});
