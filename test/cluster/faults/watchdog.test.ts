import { describe, expect } from 'vitest';

import { shortRevision } from '../../../protocol/revision.ts';
import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { pause } from '../../support/docker.ts';
import { onHeads, running } from '../../support/on-heads.ts';
import { version } from '../../support/sources.ts';

const it = clusterTest({ nodes: 3, node: { LOOP_MAY_BLOCK: '1000', MEMORY_MAY_USE: '256' } });

/** Somebody who calls what never answers does not wait for long. */
const BRIEFLY = ['--timeout', '2'];

/** Ways to bring a process down, and what a node says of each. */
const DEEDS = {
  spin: 'for (;;) {}',
  promises: 'const again = () => Promise.resolve().then(again); return again();',
  awaiting: 'return (async () => { for (;;) await null; })();',
  regex: "return /^(a+)+$/.test('a'.repeat(64) + 'b');",
  native: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
  heap: 'for (const list: unknown[] = []; ; ) list.push(new Array(1e6).fill(0));',
  buffers: 'for (const list: unknown[] = []; ; ) list.push(Buffer.alloc(1e7, 1));',
};

const bad = (name: string, deed: string): string => `${version(name)}export function run(): unknown {
  ${deed}
}
`;

/** Pushes a version that is well and one that is not; gives their revisions. */
async function pushTwo(cluster: Cluster, module: string, deed: string, ...options: string[]) {
  cluster.writeModule(module, version('one'));
  const { revision: before } = await cluster.push(module);
  cluster.writeModule(module, bad('two', deed));
  const { revision } = await cluster.push(module, ...options);
  return { before, revision };
}

/** Waits until every node answers on a revision again, and expects that the history says why, once. */
async function expectBack(cluster: Cluster, module: string, stalled: string, before: string, nodes: RegExp) {
  const newest = async () => (await cluster.history(module))[0];
  await expect
    .poll(newest, { timeout: 20_000 })
    .toMatchObject({ revision: before, author: 'hotcast', outcome: { verdict: 'committed' } });
  const [back, ...rest] = await cluster.history(module);
  expect(back?.note).toMatch(new RegExp(`^stalled on ${nodes.source}: rolled back from ${shortRevision(stalled)}$`));
  expect(rest.filter(({ note }) => note.startsWith('stalled'))).toEqual([]);
  await onHeads(cluster);
  expect(await running(cluster, module)).toEqual([before]);
  const { result } = await cluster.call(`${module}.version()`);
  expect(result.nodes.map(node => node.status === 'value' && node.json)).toEqual(['"one"', '"one"', '"one"']);
}

/** Waits until a node is ready again after its watchdog ended it. */
const isBack = (cluster: Cluster, node: string, since: number) =>
  cluster.logged(node, ({ msg }) => msg === 'ready', since);

describe('a call that blocks its node', () => {
  it('on all of them ends with every node answering on the revision before', async ({ cluster }) => {
    const { before, revision } = await pushTwo(cluster, 'spinning', DEEDS.spin);
    const since = Date.now();
    const { exitCode, result } = await cluster.call('spinning.run()', ...BRIEFLY);
    expect(exitCode).toBe(3);
    expect(result.nodes.map(({ status }) => status)).toEqual(['silent', 'silent', 'silent']);
    await expectBack(cluster, 'spinning', revision, before, /(fred|bambam|betty)(, \w+)*/);
    for (const node of cluster.names) {
      const line = await cluster.logged(node, ({ msg }) => msg.startsWith('the node restarts'), since);
      expect(line).toMatchObject({ node, script: `spinning@${shortRevision(revision)}` });
      expect(line.msg).toMatch(/ blocked the event loop of this node for 1 s at .*, in modules\/spinning\.ts:3:\d+$/);
    }
  });

  it.for([
    { title: 'in promises, in an expression, in native code', deeds: ['awaiting', 'regex', 'native'] as const },
    { title: 'with memory, in the heap and beside it', deeds: ['heap', 'buffers', 'promises'] as const },
  ])('on one of them sends all nodes back: $title', async ({ deeds }, { cluster }) => {
    const pushed = new Map<string, Awaited<ReturnType<typeof pushTwo>>>();
    for (const deed of deeds) pushed.set(deed, await pushTwo(cluster, deed, DEEDS[deed]));
    await Promise.all(
      deeds.map((deed, index) => cluster.call(`${deed}.run()`, '--node', cluster.names[index] ?? '', ...BRIEFLY)),
    );
    for (const [index, [deed, { before, revision }]] of [...pushed].entries()) {
      await expectBack(cluster, deed, revision, before, new RegExp(cluster.names[index] ?? ''));
    }
  });

  it('takes the module off when there was nothing before it', async ({ cluster }) => {
    cluster.writeModule('only', bad('one', DEEDS.spin));
    await cluster.push('only');
    await cluster.call('only.run()', '--node', 'fred', ...BRIEFLY);
    await expect
      .poll(() => cluster.history('only'), { timeout: 20_000 })
      .toMatchObject([
        { revision: null, note: expect.stringMatching(/^stalled on fred: /) as string, outcome: {} },
        { note: 'push' },
      ]);
    await onHeads(cluster);
    expect(await running(cluster, 'only')).toEqual([null]);
  });

  it('ends a canary, while the other nodes never have its revision', async ({ cluster }) => {
    cluster.writeModule('yellow', version('one'));
    const { revision: before } = await cluster.push('yellow');
    cluster.writeModule('yellow', bad('two', DEEDS.spin));
    const since = Date.now();
    const push = cluster.push('yellow', '--canary', 'bambam', '--watch', '60s');
    await cluster.logged('bambam', ({ msg, module }) => msg === 'loaded' && module === 'yellow', since);
    await cluster.call('yellow.run()', '--node', 'bambam', ...BRIEFLY);
    const { result } = await push;
    expect(result.outcome).toBe('rolled-back');
    // Whichever is known first, on a busy machine.
    expect(result.detail).toMatch(
      /yellow: (stalled on bambam: it blocked the event loop|bambam was not heard any more)/,
    );
    await onHeads(cluster);
    expect(await running(cluster, 'yellow')).toEqual([before]);
  });
});

describe('a module that blocks its node while it loads', () => {
  it('on one of them leaves that silent, and all are sent back', async ({ cluster }) => {
    cluster.writeModule('heavy', version('one'));
    const { revision: before } = await cluster.push('heavy');
    const { Id } = await (await cluster.container('bambam')).inspect();
    cluster.writeModule(
      'heavy',
      `import { hostname } from 'node:os';
      if (hostname() === '${Id.slice(0, 12)}') for (;;) {}
      ${version('two')}`,
    );
    const { exitCode, result, revision } = await cluster.push('heavy', '--timeout', '3');
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 3, outcome: 'committed' });
    expect(result.nodes.map(({ status }) => status)).toEqual(['loaded', 'silent', 'loaded']);
    await expectBack(cluster, 'heavy', revision, before, /bambam/);
  });
});

describe('a revision that brought a node down', () => {
  it('is refused by that node until somebody insists, and is banned again when it does it again', async ({
    cluster,
  }) => {
    const { before, revision } = await pushTwo(cluster, 'stubborn', DEEDS.spin);
    await cluster.call('stubborn.run()', '--node', 'betty', ...BRIEFLY);
    await expectBack(cluster, 'stubborn', revision, before, /betty/);

    const refused = await cluster.push('stubborn');
    expect({ exitCode: refused.exitCode, outcome: refused.result.outcome }).toEqual({
      exitCode: 1,
      outcome: 'refused',
    });
    expect(refused.result.nodes).toMatchObject([
      {
        node: 'betty',
        reason: 'banned',
        detail: expect.stringMatching(/^it blocked .* \(push --force lifts the ban\)$/) as string,
      },
    ]);
    expect(await running(cluster, 'stubborn')).toEqual([before]);

    const forced = await cluster.push('stubborn', '--force');
    expect(forced.exitCode).toBe(0);
    expect(await running(cluster, 'stubborn')).toEqual([revision]);
    await onHeads(cluster);

    await cluster.call('stubborn.run()', '--node', 'betty', ...BRIEFLY);
    await expect.poll(async () => running(cluster, 'stubborn'), { timeout: 20_000 }).toEqual([before]);
    await onHeads(cluster);
  });

  it('is told to a controller that was away, with the reason in status until then', async ({ cluster }) => {
    const { before, revision } = await pushTwo(cluster, 'unheard', DEEDS.spin);
    // Nobody goes back while no controller is there.
    const started = cluster.exec('controller', ['sh', '-c', "hotcast call 'unheard.run()' --node betty --timeout 60"]);
    started.catch(() => undefined);
    const since = Date.now();
    await cluster.logged('betty', ({ msg }) => msg.startsWith('the node restarts'), since);
    await cluster.kill('controller');
    await isBack(cluster, 'betty', since);
    await cluster.startAgain('controller');
    await expectBack(cluster, 'unheard', revision, before, /betty/);
  });
});

describe('the watchdog', () => {
  it('does not take a frozen node for a stalled one', async ({ cluster }) => {
    cluster.writeModule('calm', version('one'));
    const { revision } = await cluster.push('calm');
    const startedAt = async () => (await cluster.nodes()).map(node => node.status === 'present' && node.startedAt);
    const before = await startedAt();
    const betty = await cluster.container('betty');
    await pause(betty);
    // Longer than an event loop may block.
    await cluster.ping('betty', '--timeout', '3');
    await betty.unpause();
    await onHeads(cluster);
    expect(await startedAt()).toEqual(before);
    expect(await running(cluster, 'calm')).toEqual([revision]);
  });

  it('lets a loop block for less than it may', async ({ cluster }) => {
    cluster.writeModule(
      'slow',
      'export function work() { for (const at = Date.now(); Date.now() - at < 500; ); return 1; }',
    );
    await cluster.push('slow');
    const { exitCode } = await cluster.call('slow.work()');
    expect(exitCode).toBe(0);
  });
});
