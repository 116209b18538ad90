import { jetstreamManager } from '@nats-io/jetstream';
import { describe, expect } from 'vitest';

import { streamOf, subjectsOf } from '../../../protocol/subjects.ts';
import { Attacker } from '../../support/attacker.ts';
import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { loot } from '../../support/loot.ts';
import { running } from '../../support/on-heads.ts';
import { openStream } from '../../support/stream.ts';
import { Witness } from '../../support/witness.ts';

const version = (name: string): string => `export function version() { return '${name}'; }\n`;

const it = clusterTest({ nodes: 3 })
  .extend('prey', { scope: 'file' }, async ({ cluster }) => loot(cluster, 'safe', [version('old'), version('good')]))
  .extend('attacker', { scope: 'file' }, async ({ cluster }, { onCleanup }) => {
    const attacker = await Attacker.as(cluster, 'controller');
    onCleanup(() => attacker[Symbol.asyncDispose]());
    return attacker;
  });

/** Resolves when a controller has written the newest head of a module again. */
const restored = (cluster: Cluster, after: number) =>
  cluster.logged('controller', ({ msg }) => msg.startsWith('the newest heads were written over'), after);

describe("whoever has the controller's NATS credentials and not its key, writing to the stream", () => {
  it.for(['an old head of ours', 'what nobody sealed'])(
    'changes nothing by %s, and the newest head is written again for who starts later',
    async (what, { cluster, prey, attacker }) => {
      await using witness = await Witness.of(cluster);
      const standing = await witness.standing();
      const startedAt = Date.now();
      const head = subjectsOf(cluster.cookie).head(prey.module);
      attacker.nats.publish(head, what === 'what nobody sealed' ? '{}' : prey.oldHead);
      await attacker.nats.flush();
      await restored(cluster, startedAt);
      expect((await cluster.status()).exitCode).toBe(0);
      expect(await witness.standing()).toEqual(standing);
      await cluster.addNodes(1);
      expect(await running(cluster, prey.module)).toEqual([prey.revision]);
      const history = await cluster.history(prey.module);
      expect(history.map(({ sequence }) => sequence)).toEqual([...new Set(history.map(({ sequence }) => sequence))]);
    },
  );

  it('holds one module back by a bundle that nobody sealed, and the next push brings it', async ({
    cluster,
    prey,
    attacker,
  }) => {
    cluster.writeModule('other', version('other'));
    const other = await cluster.push('other');
    const subject = subjectsOf(cluster.cookie).bundle(prey.module, prey.revision);
    attacker.nats.publish(subject, 'no bundle');
    await attacker.nats.flush();
    await cluster.addNodes(1);
    const name = cluster.names.at(-1) ?? '';
    const loaded = async () => (await cluster.revisions())[name];
    await expect.poll(loaded, { timeout: 15_000 }).toEqual({ other: other.revision });
    const pushed = await cluster.push(prey.module);
    expect(pushed).toMatchObject({ exitCode: 0, revision: prey.revision });
    expect(await running(cluster, prey.module)).toEqual([prey.revision]);
    await using stream = await openStream(cluster);
    expect(await stream.store.bundle(prey.module, prey.revision)).not.toBeNull();
  });

  it('takes the history, and nothing that runs, by a purge', async ({ cluster, prey, attacker }) => {
    await using witness = await Witness.of(cluster);
    const standing = await witness.standing();
    const manager = await jetstreamManager(attacker.nats, { checkAPI: false });
    await manager.streams.purge(streamOf(cluster.cookie));
    const { result } = await cluster.call('safe.version()');
    expect(result.nodes).toMatchObject(cluster.names.map(node => ({ node, json: '"good"' })));
    expect(await witness.standing()).toEqual(standing);
    for (const module of [prey.module, 'other']) expect((await cluster.push(module)).exitCode).toBe(0);
    expect((await cluster.status()).exitCode).toBe(0);
  });

  it('is undone when it changes what the stream keeps', async ({ cluster, attacker }) => {
    const manager = await jetstreamManager(attacker.nats, { checkAPI: false });
    const name = streamOf(cluster.cookie);
    await manager.streams.update(name, { subjects: [`hotcast.${cluster.cookie}.elsewhere`] });
    const startedAt = Date.now();
    await (await cluster.container('controller')).restart({ t: 2 });
    await cluster.logged('controller', ({ msg }) => msg === 'ready', startedAt);
    cluster.writeModule('safe', version('next'));
    expect((await cluster.push('safe')).exitCode).toBe(0);
    expect((await cluster.status()).exitCode).toBe(0);
  });
});
