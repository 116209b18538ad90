import { describe, expect } from 'vitest';

import type { NodeOutcome } from '../../../../controller/src/api/results.ts';
import { replicaName } from '../../../../protocol/names.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';
import { versionSource } from '../../../support/cluster/module-sources.ts';
import { Terminal } from '../../../support/docker/terminal.ts';
import { it } from './cluster.ts';

const WORKERS = [1, 2].map(replica => replicaName(replica, 'worker'));
const MODULES = ['front', 'jobs', 'both'];
const WRONG = 'give the service the name of its group';

function place(cluster: Cluster, groups: Readonly<Record<string, readonly string[]>>): void {
  cluster.writeFile('hotcast.config.ts', `export default ${JSON.stringify({ groups })};\n`);
}

/** What a call of a module's version gives on each node that is asked. */
async function versions(cluster: Cluster, module: string, ...options: string[]): Promise<Record<string, string>> {
  const { nodes } = (await cluster.call(`${module}.version()`, ...options)).result;
  return Object.fromEntries(
    nodes.map(answer => {
      if (answer.status === 'value') return [answer.node, JSON.parse(answer.json ?? 'null') as string];
      return [answer.node, answer.status === 'error' ? (answer.type ?? '') : answer.status];
    }),
  );
}

const on = (nodes: readonly string[], version: string) => Object.fromEntries(nodes.map(node => [node, version]));

/** What became of a push on each node that took part in it. */
const outcomes = ({ result }: { readonly result: { readonly nodes: readonly NodeOutcome[] } }) =>
  Object.fromEntries(
    result.nodes.map(each => [each.node, each.status === 'loaded' && each.removed === true ? 'removed' : each.status]),
  );

describe('a module with groups', () => {
  it('goes to the nodes of its groups, and only these are asked', async ({ cluster }) => {
    const web = cluster.nodeNames;
    for (const worker of WORKERS) await cluster.addReplica(worker, { HOTCAST_GROUP: 'worker' });
    place(cluster, { web: ['front', 'both'], worker: ['jobs', 'both'] });
    for (const module of MODULES) cluster.writeModule(module, versionSource('first'));

    expect(outcomes(await cluster.push('jobs'))).toEqual(on(WORKERS, 'loaded'));
    expect(outcomes(await cluster.pushTogether(['front', 'both']))).toEqual(on([...web, ...WORKERS], 'loaded'));
    const has = Object.entries(await cluster.revisions()).map(([node, modules]) => [
      node,
      MODULES.filter(module => modules?.[module] !== undefined),
    ]);
    expect(Object.fromEntries(has)).toEqual({
      ...Object.fromEntries(web.map(node => [node, ['front', 'both']])),
      ...Object.fromEntries(WORKERS.map(node => [node, ['jobs', 'both']])),
    });
    const { nodes } = (await cluster.status()).result;
    const states = nodes.filter(({ module }) => MODULES.includes(module)).map(({ state }) => state);
    expect(states).toEqual(Array.from({ length: 2 * web.length + 2 * WORKERS.length }, () => 'ok'));

    expect(await versions(cluster, 'jobs')).toEqual(on(WORKERS, 'first'));
    expect(await versions(cluster, 'both', '--group', 'web')).toEqual(on(web, 'first'));
    expect(await versions(cluster, 'jobs', '--node', 'fred')).toEqual({ fred: 'undef' });
    const listed = (await cluster.nodes('--group', 'worker')).map(({ node, group }) => [node, group]);
    expect(listed).toEqual(WORKERS.map(node => [node, 'worker']));

    const controller = await cluster.container('controller');
    const shell = await Terminal.start(controller, ['hotcast', 'shell', '--group', 'worker']);
    await shell.shows(/1>$/);
    expect(await shell.type('node().')).toBe(`'worker-1@${cluster.cookie}'`);
    expect(await shell.type('jobs.version()')).toBe("'first'");
    await shell.press('q().', '\r');
    expect(await shell.exitStatus()).toBe(0);
  });

  it('is tried on a part of one group', async ({ cluster }) => {
    cluster.writeModule('both', versionSource('second'));
    const canary = ['--canary', '1 of worker', '--watch', '100ms', '--min-calls', '0'];
    expect((await cluster.push('both', ...canary)).result).toMatchObject({ outcome: 'committed' });
    expect(Object.values(await versions(cluster, 'both', '--group', 'worker')).toSorted()).toEqual(['first', 'second']);
    expect(await versions(cluster, 'both', '--group', 'web')).toEqual(on(cluster.nodeNames, 'first'));
    await cluster.change('promote', 'both');
    expect(await versions(cluster, 'both')).toEqual(on([...cluster.nodeNames, ...WORKERS], 'second'));
  });

  it('is unloaded where it leaves, also by a node that was cut off, and goes back with a rollback', async ({
    cluster,
  }) => {
    const [cut = '', other = ''] = WORKERS;
    await cluster.disconnect(cut);
    place(cluster, { web: ['front', 'both', 'jobs'], worker: ['both'] });
    cluster.writeModule('jobs', versionSource('second'));
    const moved = outcomes(await cluster.push('jobs', '--timeout', '8'));
    expect(moved).toEqual({ ...on(cluster.nodeNames, 'loaded'), [other]: 'removed', [cut]: 'silent' });
    await cluster.reconnect(cut);
    const runsJobs = async (): Promise<boolean | null> => {
      const running = (await cluster.revisions())[cut];
      return running ? 'jobs' in running : null;
    };
    await expect.poll(runsJobs, { timeout: 30_000 }).toBe(false);
    expect(await versions(cluster, 'jobs')).toEqual(on(cluster.nodeNames, 'second'));

    const back = outcomes(await cluster.change('rollback', 'jobs'));
    expect(back).toEqual({ ...on(cluster.nodeNames, 'removed'), ...on(WORKERS, 'loaded') });
    expect(await versions(cluster, 'jobs')).toEqual(on(WORKERS, 'first'));
  });

  it('is on no node whose HOTCAST_GROUP is not its service: that ends with the reason', async ({ cluster }) => {
    const third = replicaName(3, 'worker');
    await cluster.addReplica(third, { HOTCAST_GROUP: 'web' }, WRONG);
    await remove(cluster, third);
    expect((await cluster.nodes()).map(({ node }) => node)).toEqual([...cluster.nodeNames, ...WORKERS]);
  });

  it('leaves nothing behind', async ({ cluster }) => {
    for (const module of MODULES) await cluster.change('remove', module);
    place(cluster, {});
    for (const worker of WORKERS) await remove(cluster, worker);
    await expect.poll(async () => (await cluster.nodes()).map(({ node }) => node)).toEqual(cluster.nodeNames);
  });
});

async function remove(cluster: Cluster, node: string): Promise<void> {
  const container = await cluster.container(node);
  await container.stop({ t: 10 }).catch(() => undefined);
  await container.remove({ v: true, force: true });
}
