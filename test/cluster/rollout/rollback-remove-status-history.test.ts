import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import type { Event } from '../../../protocol/history/event.ts';
import type { ResultOf } from '../../../controller/src/api/results.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { auditStreamOf, streamOf, subjectsOf } from '../../../protocol/subjects.ts';
import { EndlessCommand } from '../../support/commands/endless-command.ts';
import { readOutput } from '../../support/commands/output-schema.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { waitForConvergence, runningRevisions } from '../../support/cluster/convergence.ts';
import { PushObserver } from '../../support/cluster/push-observer.ts';
import { throwsOnNode, versionSource } from '../../support/cluster/module-sources.ts';

const it = clusterTest({ nodes: 3 });

/** Pushes versions of a module one after the other. Returns their revisions. */
async function pushAll(cluster: Cluster, module: string, ...names: string[]): Promise<string[]> {
  const revisions: string[] = [];
  for (const name of names) {
    cluster.writeModule(module, versionSource(name));
    revisions.push((await cluster.push(module)).revision);
  }
  return revisions;
}

const committed = { exitCode: 0, result: { outcome: 'committed', detail: '' } };

describe('rollback', () => {
  it('loads the previous revision on every node, and sends no bundle', async ({ cluster }) => {
    const [one, two] = await pushAll(cluster, 'back', 'one', 'two');
    await using observer = await PushObserver.start(cluster);
    const rolledBack = await cluster.change('rollback', 'back');
    expect(rolledBack).toMatchObject(committed);
    expect(rolledBack.result.modules).toEqual([{ module: 'back', revision: one }]);
    expect(rolledBack.result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, status: 'loaded' })));
    await observer.flush();
    expect(observer.heads.map(({ module, revision }) => [module, revision])).toEqual([['back', one]]);
    expect(observer.bundles).toEqual([]);
    expect(await runningRevisions(cluster, 'back')).toEqual([one]);
    const called = await cluster.call('back.version()');
    expect(called.result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '"one"' })));
    // A second rollback returns to the newer revision, which is now the previous one.
    await cluster.change('rollback', 'back');
    expect(await runningRevisions(cluster, 'back')).toEqual([two]);
  });

  it('loads the revision that --to names, also one that was pushed long ago', async ({ cluster }) => {
    const [one, two] = await pushAll(cluster, 'named', 'one', 'two', 'three', 'four', 'five', 'six', 'seven');
    expect(await cluster.change('rollback', 'named', '--to', shortRevision(one ?? ''))).toMatchObject(committed);
    expect(await runningRevisions(cluster, 'named')).toEqual([one]);
    expect(await cluster.change('rollback', 'named', '--to', two ?? '')).toMatchObject(committed);
    expect(await runningRevisions(cluster, 'named')).toEqual([two]);
  });

  it('to a revision that is not in the history has exit status 2, and changes nothing', async ({ cluster }) => {
    const [only] = await pushAll(cluster, 'single', 'one');
    for (const options of [[], ['--to', 'ffffffffffff']]) {
      const { exitCode, stderr } = await cluster.hotcast('rollback', 'single', ...options);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(shortRevision(only ?? ''));
    }
    expect(await cluster.history('single')).toHaveLength(1);
  });
});

describe('remove', () => {
  it('removes a module from every node, also from those that restart, until it is rolled back', async ({ cluster }) => {
    const [one] = await pushAll(cluster, 'removed', 'one');
    expect(await cluster.change('remove', 'removed')).toMatchObject(committed);
    expect(await runningRevisions(cluster, 'removed')).toEqual([null]);
    const { exitCode, result } = await cluster.call('removed.version()');
    expect(exitCode).toBe(1);
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, failure: 'undef' })));
    await cluster.kill('betty');
    await cluster.startContainer('betty');
    expect(await runningRevisions(cluster, 'removed')).toEqual([null]);
    await waitForConvergence(cluster);
    expect((await cluster.hotcast('remove', 'removed')).exitCode).toBe(2);

    expect(await cluster.change('rollback', 'removed')).toMatchObject(committed);
    expect(await runningRevisions(cluster, 'removed')).toEqual([one]);
  });
});

describe('modules that are pushed together', () => {
  it('are all rolled back when one node cannot load one of them', async ({ cluster }) => {
    const [left] = await pushAll(cluster, 'left', 'one');
    const [right] = await pushAll(cluster, 'right', 'one');
    cluster.writeModule('left', versionSource('two'));
    cluster.writeModule('right', await throwsOnNode(cluster, 'betty', 'two'));
    const { exitCode, result } = await cluster.pushTogether(['left', 'right']);
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 1, outcome: 'reverted' });
    expect(result.nodes.filter(({ status }) => status !== 'loaded')).toEqual([
      { node: 'betty', status: 'refused', reason: 'on_load_failure', detail: 'RangeError: not on betty' },
    ]);
    await waitForConvergence(cluster);
    expect([await runningRevisions(cluster, 'left'), await runningRevisions(cluster, 'right')]).toEqual([
      [left],
      [right],
    ]);
    // Betty ran neither: no module is activated before all of them are loaded.
    const loaded = (await cluster.logsOf('betty')).filter(({ msg, module }) => msg === 'loaded' && module === 'left');
    expect(loaded.map(({ revision }) => revision)).toEqual([shortRevision(left ?? '')]);
    for (const module of ['left', 'right']) {
      expect(await cluster.history(module)).toMatchObject([
        { note: 'revert: refused by betty', outcome: { verdict: 'committed', loaded: 3 } },
        { note: 'push', outcome: { verdict: 'reverted', loaded: 2, refused: 1, silent: 0 } },
        { note: 'push', outcome: { verdict: 'committed', loaded: 3 } },
      ]);
    }
  });

  it('are committed as one push', async ({ cluster }) => {
    cluster.writeModule('left', versionSource('three'));
    cluster.writeModule('right', versionSource('three'));
    const { exitCode, result } = await cluster.pushTogether(['left', 'right']);
    expect(exitCode).toBe(0);
    for (const { module, revision } of result.modules)
      expect(await runningRevisions(cluster, module)).toEqual([revision]);
    const [left, right] = [await cluster.history('left'), await cluster.history('right')];
    expect(left[0]?.push).toBe(right[0]?.push);
  });

  it('do not change when one of them does not compile', async ({ cluster }) => {
    const before = await cluster.revisions();
    cluster.writeModule('left', versionSource('four'));
    cluster.writeModule('right', 'export function version() {');
    expect((await cluster.hotcast('push', 'left', 'right')).exitCode).toBe(2);
    expect(await cluster.revisions()).toEqual(before);
  });
});

describe('a module that no node can compile', () => {
  it('is refused before anything is sent', async ({ cluster }) => {
    const [one] = await pushAll(cluster, 'unfit', 'one');
    // esbuild does not check regular expressions; V8 does.
    cluster.writeModule('unfit', `${versionSource('two')} export const bad = /(?<x>a)(?<x>b)/;`);
    const { exitCode, stderr } = await cluster.hotcast('push', 'unfit');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^hotcast: unfit was refused before it was sent: SyntaxError: .*; nothing was sent\n$/);
    expect(await runningRevisions(cluster, 'unfit')).toEqual([one]);
    expect(await cluster.history('unfit')).toHaveLength(1);
  });
});

describe('status', () => {
  it('shows drift by module and node with exit status 1, until the node converges', async ({ cluster }) => {
    const [one] = await pushAll(cluster, 'drifting', 'one');
    await waitForConvergence(cluster);
    expect((await cluster.hotcast('status')).stdout).toMatch(/\nevery node is on its heads\n$/);

    cluster.writeModule('drifting', versionSource('mine'));
    await cluster.compile('drifting', 'bambam');
    const { exitCode, result } = await cluster.status();
    expect(exitCode).toBe(1);
    expect(result.nodes.filter(({ state }) => state !== 'ok')).toMatchObject([
      { module: 'drifting', node: 'bambam', desired: one, state: 'here only' },
    ]);
    const { stdout } = await cluster.hotcast('status', '--verbose');
    const short = shortRevision(one ?? '');
    expect(stdout).toMatch(/^MODULE +NODE +DESIRED +RUNNING +STATE$/m);
    expect(stdout).toMatch(new RegExp(`^drifting +fred +${short} +${short} +ok$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^drifting +bambam +${short} +(?!${short})[0-9a-f]{12} +here only$`, 'm'));
    expect(stdout).toMatch(/\n1 of \d+ are not on their head\n$/);

    expect((await cluster.push('drifting')).exitCode).toBe(0);
    await waitForConvergence(cluster);
  });
});

describe('history', () => {
  it('shows time, revision, author, outcome and note of each head, newest first', async ({ cluster }) => {
    const [one, two] = (await pushAll(cluster, 'listed', 'one', 'two')).map(shortRevision);
    cluster.writeModule('listed', await throwsOnNode(cluster, 'fred', 'three'));
    const three = shortRevision((await cluster.push('listed')).revision);
    await cluster.change('rollback', 'listed', '--to', one ?? '');
    await cluster.change('remove', 'listed');

    const { exitCode, stdout } = await cluster.hotcast('history', 'listed');
    expect(exitCode).toBe(0);
    const [head, ...rows] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^WHEN +REVISION +WHO +OUTCOME +NOTE$/);
    const cells = rows.map(row => row.split(/ {2,}/));
    const all = 'committed: 3 loaded, 0 refused, 0 silent';
    expect(cells.map(row => row.slice(1))).toEqual([
      ['-', 'hotcast', all, 'remove'],
      [one, 'hotcast', all, 'rollback'],
      [two, 'hotcast', all, 'revert: refused by fred'],
      [three, 'hotcast', 'reverted: 2 loaded, 1 refused, 0 silent', 'push'],
      [two, 'hotcast', all, 'push'],
      [one, 'hotcast', all, 'push'],
    ]);
    const times = cells.map(([when]) => Date.parse(when ?? ''));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  it('keeps every revision that was pushed, however often one is written again, and no head without end', async ({
    cluster,
  }) => {
    const [one] = await pushAll(cluster, 'long', 'one', 'two', 'three');
    for (let count = 0; count < 18; count += 1) await cluster.push('long', '--force');
    const before = await cluster.history('long');
    const again = await cluster.push('long');
    expect({ exitCode: again.exitCode, outcome: again.result.outcome }).toEqual({ exitCode: 0, outcome: 'unchanged' });
    expect(await cluster.history('long')).toEqual(before);

    expect(await headsInStream(cluster, 'long')).toBe(21);
    await cluster.kill('controller');
    await cluster.startContainer('controller');
    await expect.poll(async () => headsInStream(cluster, 'long')).toBe(before.length);
    expect(await cluster.history('long')).toEqual(before);
    expect(await cluster.change('rollback', 'long', '--to', one ?? '')).toMatchObject(committed);
    expect(await runningRevisions(cluster, 'long')).toEqual([one]);
  });
});

/** How many heads of a module the stream has. */
async function headsInStream(cluster: Cluster, module: string): Promise<number> {
  await using nats = await connect(await cluster.natsOptions());
  const { streams } = await jetstreamManager(nats, { checkAPI: false });
  const subject = subjectsOf(cluster.cookie).head(module);
  const { state } = await streams.info(streamOf(cluster.cookie), { subjects_filter: subject });
  return state.subjects?.[subject] ?? 0;
}

describe('events', () => {
  it('are told as they happen, and completely since a position: changes, and nodes that come and go', async ({
    cluster,
  }) => {
    const text = (await cluster.hotcast('events', '--json')).stdout.trimEnd().split('\n');
    const { position } = JSON.parse(text.at(-1) ?? '') as ResultOf<'events'>;
    const since = ['--since', String(position)];
    await using command = await EndlessCommand.start(cluster, 'until Ctrl+C', 'events', '--follow', ...since);
    const told = (): Event[] => command.output.flatMap(line => ('event' in line ? [line.event] : []));
    const lines = (events: readonly Event[]): string[] =>
      events.map(event =>
        event.kind === 'node'
          ? `${event.node} ${event.change}`
          : `${event.command} ${event.outcome} ${event.cause ?? event.canary ?? '-'}`,
      );

    await pushAll(cluster, 'told', 'one', 'two');
    await cluster.change('rollback', 'told');
    cluster.writeModule('told', versionSource('three'));
    await cluster.hotcast('push', 'told', '--canary', '1', '--watch', '100ms');
    await cluster.hotcast('keys', 'rotate');
    const wanted = ['push committed -', 'push committed -', 'rollback committed operator'];
    wanted.push('push undecided 1', 'keys rotate done -');
    await expect.poll(() => lines(told())).toEqual(wanted);

    await (await cluster.container('fred')).stop({ t: 10 });
    await cluster.startContainer('fred');
    wanted.push('fred stopped', 'fred started');
    await expect.poll(() => lines(told())).toEqual(wanted);
    await cluster.kill('fred');
    wanted.push('fred silent');
    await expect.poll(() => lines(told())).toEqual(wanted);
    await cluster.startContainer('fred');
    wanted.push('fred started');
    await expect.poll(() => lines(told())).toEqual(wanted);

    expect(await command.end()).toBe(130);
    const { stdout } = await cluster.hotcast('events', ...since, '--json');
    const all = stdout.trimEnd().split('\n').map(readOutput);
    expect(all.flatMap(line => ('event' in line ? [line.event] : []))).toEqual(told());
  });
});

describe('audit', () => {
  it('lists what was done to the cluster, newest first, also what changed nothing', async ({ cluster }) => {
    const [one, two] = await pushAll(cluster, 'audited', 'one', 'two');
    cluster.writeModule('audited', await throwsOnNode(cluster, 'fred', 'three'));
    await cluster.push('audited');
    cluster.writeModule('audited', 'export const x = ;');
    await cluster.hotcast('push', 'audited');
    await cluster.change('rollback', 'audited', '--message', 'the boss wants it');
    await cluster.change('remove', 'audited');

    const { stdout } = await cluster.hotcast('audit', '--since', '10m', '--json');
    const { entries } = JSON.parse(stdout) as ResultOf<'audit'>;
    const ours = entries.filter(({ modules }) => modules.some(({ module }) => module === 'audited'));
    expect(
      ours.map(({ author, command, outcome, modules: [first] }) => [author, command, outcome, first?.revision]),
    ).toEqual([
      ['hotcast', 'remove', 'committed', null],
      ['hotcast', 'rollback', 'committed', one],
      ['hotcast', 'push', 'failed', null],
      ['hotcast', 'push', 'reverted', expect.stringMatching(/^[0-9a-f]{64}$/)],
      ['hotcast', 'push', 'committed', two],
      ['hotcast', 'push', 'committed', one],
    ]);
    const [newest] = await cluster.history('audited');
    expect(ours[0]?.change).toBe(newest?.push);
    const [, back] = await cluster.history('audited');
    expect([ours[1]?.message, back?.message]).toEqual(['the boss wants it', 'the boss wants it']);
    const { stdout: all } = await cluster.hotcast('history');
    expect(all).toMatch(/ audited@[0-9a-f]{12} .* rollback; "the boss wants it"$/m);

    await using nats = await connect(await cluster.natsOptions());
    const { streams } = await jetstreamManager(nats, { checkAPI: false });
    const { config } = await streams.info(auditStreamOf(cluster.cookie));
    expect(config).toMatchObject({ max_bytes: 16 * 2 ** 20, discard: 'old' });
  });
});
