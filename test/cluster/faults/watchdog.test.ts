import { describe, expect } from 'vitest';

import { shortRevision } from '../../../protocol/revision.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { debugNode } from '../../support/debugger/debug-node.ts';
import { pause } from '../../support/docker/pause.ts';
import { waitForConvergence, runningRevisions } from '../../support/cluster/convergence.ts';
import { BLOCKING_CODE, blockingSource } from './blocking-code.ts';
import { versionSource } from '../../support/cluster/module-sources.ts';

const it = clusterTest({ nodes: 3, node: { EVENT_LOOP_TIMEOUT_MS: '1000', MEMORY_LIMIT_MB: '256' } });

/** A short timeout for calls that never answer. */
const SHORT_TIMEOUT = ['--timeout', '2'];

/** Pushes a good version and a blocking one. Returns their revisions. */
async function pushTwo(cluster: Cluster, module: string, code: string, ...options: string[]) {
  cluster.writeModule(module, versionSource('one'));
  const { revision: before } = await cluster.push(module);
  cluster.writeModule(module, blockingSource('two', code));
  const { revision } = await cluster.push(module, ...options);
  return { before, revision };
}

/** Waits until every node runs the previous revision, and expects one rollback in the history, with its cause. */
async function expectRolledBack(cluster: Cluster, module: string, stalled: string, before: string, accused: RegExp) {
  const newest = async () => (await cluster.history(module))[0];
  await expect
    .poll(newest, { timeout: 60_000 })
    .toMatchObject({ revision: before, author: 'hotcast', outcome: { verdict: 'committed' } });
  const [rollback, ...rest] = await cluster.history(module);
  expect(rollback?.note).toMatch(new RegExp(`^${accused.source}: rolled back from ${shortRevision(stalled)}$`));
  expect(rest.filter(({ note }) => note.includes('rolled back'))).toEqual([]);
  await waitForConvergence(cluster);
  expect(await runningRevisions(cluster, module)).toEqual([before]);
  const { result } = await cluster.call(`${module}.version()`);
  expect(result.nodes.map(node => node.status === 'value' && node.json)).toEqual(['"one"', '"one"', '"one"']);
}

/** Waits until one node is kept off a revision and runs another one instead. Every other node runs on with it. */
async function expectQuarantined(
  cluster: Cluster,
  module: string,
  { revision, instead, node, cause }: { revision: string; instead: string | null; node: string; cause: string },
) {
  const running = async () =>
    Object.fromEntries(Object.entries(await cluster.revisions()).map(([each, all]) => [each, all?.[module] ?? null]));
  const expected = Object.fromEntries(cluster.nodeNames.map(each => [each, each === node ? instead : revision]));
  await expect.poll(running, { timeout: 60_000 }).toEqual(expected);
  const newest = async () => (await cluster.history(module))[0];
  const note = new RegExp(`^quarantined, (${cause}) on ${node}: ${shortRevision(revision)}$`);
  const written = {
    revision,
    note: expect.stringMatching(note) as string,
    author: 'hotcast',
    outcome: { verdict: 'committed' },
  };
  await expect.poll(newest, { timeout: 60_000 }).toMatchObject(written);
}

/** Waits until a node is ready again after its watchdog ended it. */
const waitForRestart = (cluster: Cluster, node: string, since: number) =>
  cluster.waitForLog(node, ({ msg }) => msg === 'ready', since);

describe('a call that blocks its node', () => {
  it('on every node: the watchdog restarts the nodes, and every node runs the previous revision', async ({
    cluster,
  }) => {
    const { before, revision } = await pushTwo(cluster, 'spinning', BLOCKING_CODE.spin);
    const since = Date.now();
    const { exitCode, result } = await cluster.call('spinning.run()', ...SHORT_TIMEOUT);
    expect(exitCode).toBe(3);
    expect(result.nodes.map(({ status }) => status)).toEqual(['silent', 'silent', 'silent']);
    await expectRolledBack(cluster, 'spinning', revision, before, /stalled on (fred|bambam|betty)(, \w+)*/);
    for (const node of cluster.nodeNames) {
      const line = await cluster.waitForLog(node, ({ msg }) => msg.startsWith('the node restarts'), since);
      expect(line).toMatchObject({ node, script: `spinning@${shortRevision(revision)}` });
      expect(line.msg).toMatch(/ blocked the event loop of this node for 1 s at .*, in modules\/spinning\.ts:3:\d+$/);
    }
  });

  it.for([
    { title: 'promises, a regular expression, native code', cause: 'stalled', kinds: ['awaiting', 'regex', 'native'] },
    // On a slow machine, what fills the memory has blocked the event loop for too long before.
    { title: 'memory on the heap and outside of it', cause: 'memory|stalled', kinds: ['heap', 'buffers', 'promises'] },
  ] as const)(
    'on one node keeps that node off it, and on a second one rolls back every node: $title',
    async ({ kinds, cause }, { cluster }) => {
      const nameOf = (index: number): string => cluster.nodeNames[index % kinds.length] ?? '';
      const pushed = new Map<string, Awaited<ReturnType<typeof pushTwo>>>();
      for (const kind of kinds) pushed.set(kind, await pushTwo(cluster, kind, BLOCKING_CODE[kind]));
      const callOn = async (shift: number): Promise<unknown> =>
        Promise.all(
          kinds.map((kind, index) => cluster.call(`${kind}.run()`, '--node', nameOf(index + shift), ...SHORT_TIMEOUT)),
        );
      await callOn(0);
      for (const [index, [kind, { before, revision }]] of [...pushed].entries()) {
        await expectQuarantined(cluster, kind, { revision, instead: before, node: nameOf(index), cause });
      }
      await callOn(1);
      for (const [index, [kind, { before, revision }]] of [...pushed].entries()) {
        await expectRolledBack(cluster, kind, revision, before, new RegExp(`(${cause}) on ${nameOf(index + 1)}`));
      }
    },
  );

  it('keeps the node off a module that has no previous revision, which the others run on', async ({ cluster }) => {
    cluster.writeModule('only', blockingSource('one', BLOCKING_CODE.spin));
    const { revision } = await cluster.push('only');
    await cluster.call('only.run()', '--node', 'fred', ...SHORT_TIMEOUT);
    await expectQuarantined(cluster, 'only', { revision, instead: null, node: 'fred', cause: 'stalled' });
    await cluster.call('only.run()', '--node', 'betty', ...SHORT_TIMEOUT);
    const bans = async () => (await cluster.hotcast('bans')).stdout.match(/only@.*/g)?.length;
    await expect.poll(bans, { timeout: 60_000 }).toBe(2);
    expect((await cluster.history('only'))[0]).toMatchObject({ revision, quarantine: true });
    await cluster.change('remove', 'only');
    await waitForConvergence(cluster);
  });

  it('in a canary rolls the canary back, and the other nodes never load its revision', async ({ cluster }) => {
    cluster.writeModule('yellow', versionSource('one'));
    const { revision: before } = await cluster.push('yellow');
    cluster.writeModule('yellow', blockingSource('two', BLOCKING_CODE.spin));
    const since = Date.now();
    const push = cluster.push('yellow', '--canary', 'bambam', '--watch', '60s');
    await cluster.waitForLog('bambam', ({ msg, module }) => msg === 'loaded' && module === 'yellow', since);
    await cluster.call('yellow.run()', '--node', 'bambam', ...SHORT_TIMEOUT);
    const { result } = await push;
    expect(result.outcome).toBe('rolled-back');
    // On a busy machine, the controller can notice the missing heartbeats first.
    expect(result.detail).toMatch(
      /yellow: (stalled on bambam: it blocked the event loop|bambam (went silent|stalled for \d+ ms))/,
    );
    await waitForConvergence(cluster);
    expect(await runningRevisions(cluster, 'yellow')).toEqual([before]);
  });
});

describe('a module that blocks its node while it loads', () => {
  it('on one node is reported as silent, and the node is kept off it', async ({ cluster }) => {
    cluster.writeModule('heavy', versionSource('one'));
    const { revision: before } = await cluster.push('heavy');
    const { Id } = await (await cluster.container('bambam')).inspect();
    cluster.writeModule(
      'heavy',
      `import { hostname } from 'node:os';
      if (hostname() === '${Id.slice(0, 12)}') for (;;) {}
      ${versionSource('two')}`,
    );
    const { exitCode, result, revision } = await cluster.push('heavy', '--timeout', '8');
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 3, outcome: 'committed' });
    expect(result.nodes.map(({ status }) => status)).toEqual(['loaded', 'silent', 'loaded']);
    await expectQuarantined(cluster, 'heavy', { revision, instead: before, node: 'bambam', cause: 'stalled' });
    await cluster.change('remove', 'heavy');
    await waitForConvergence(cluster);
  });
});

describe('a revision that blocked a node', () => {
  it('is banned on that node until push --force, and is banned again when it blocks again', async ({ cluster }) => {
    const { before, revision } = await pushTwo(cluster, 'stubborn', BLOCKING_CODE.spin);
    const quarantined = { revision, instead: before, node: 'betty', cause: 'stalled' };
    await cluster.call('stubborn.run()', '--node', 'betty', ...SHORT_TIMEOUT);
    await expectQuarantined(cluster, 'stubborn', quarantined);

    // It is in the record: the node does not have to remember it.
    cluster.writeModule('stubborn', versionSource('three'));
    await cluster.push('stubborn');
    cluster.writeModule('stubborn', blockingSource('two', BLOCKING_CODE.spin));
    const { id } = await cluster.container('betty');
    await cluster.exec('betty', ['node', '-e', `fs.rmSync('/var/lib/hotcast/${id}/bans.json')`]);
    const since = Date.now();
    await (await cluster.container('betty')).restart();
    await waitForRestart(cluster, 'betty', since);
    const refused = await cluster.push('stubborn');
    expect({ exitCode: refused.exitCode, outcome: refused.result.outcome }).toEqual({
      exitCode: 1,
      outcome: 'refused',
    });
    expect(refused.result.nodes).toMatchObject([
      { node: 'betty', reason: 'banned', detail: expect.stringMatching(/^it blocked /) as string },
    ]);

    const forced = await cluster.push('stubborn', '--force');
    expect(forced.exitCode).toBe(0);
    expect(await runningRevisions(cluster, 'stubborn')).toEqual([revision]);
    await waitForConvergence(cluster);

    await cluster.call('stubborn.run()', '--node', 'betty', ...SHORT_TIMEOUT);
    await expect.poll(async () => (await cluster.hotcast('bans')).stdout, { timeout: 60_000 }).toContain('stubborn@');
    await cluster.change('remove', 'stubborn');
    await waitForConvergence(cluster);
  });

  it('is kept off its node by a controller that was down at that time', async ({ cluster }) => {
    const { before, revision } = await pushTwo(cluster, 'unheard', BLOCKING_CODE.spin);
    // Without a controller, the node refuses it by itself.
    const started = cluster.exec('controller', ['sh', '-c', "hotcast call 'unheard.run()' --node betty --timeout 60"]);
    started.catch(() => undefined);
    const since = Date.now();
    await cluster.waitForLog('betty', ({ msg }) => msg.startsWith('the node restarts'), since);
    await cluster.kill('controller');
    await waitForRestart(cluster, 'betty', since);
    await cluster.startContainer('controller');
    await expectQuarantined(cluster, 'unheard', { revision, instead: before, node: 'betty', cause: 'stalled' });
    await cluster.change('remove', 'unheard');
    await waitForConvergence(cluster);
  });
});

describe('a node that restarts again and again', () => {
  /** The text of the file in which a node remembers its restarts. */
  const twoRestarts = () => JSON.stringify({ at: [Date.now() - 60_000, Date.now() - 30_000], alarmMb: null });

  it('stays up without the module that was pushed last, and loads it again after a new push', async ({ cluster }) => {
    const { Id } = await (await cluster.container('betty')).inspect();
    // No module is to blame: each takes less than the limit, step by step, in buffers that a timer makes.
    const source = (steps: number): string => `
      import { hostname } from 'node:os';
      const held: Buffer[] = [];
      const timer = setInterval(() => {
        if (hostname() !== '${Id.slice(0, 12)}' || held.push(Buffer.alloc(20_000_000, 1)) === ${steps}) clearInterval(timer);
      }, 10);
      ${versionSource('one')}`;
    cluster.writeModule('large', source(5));
    const { revision } = await cluster.push('large');
    const file = `/var/lib/hotcast/${Id}/restarts.json`;
    await cluster.exec('betty', ['node', '-e', `fs.writeFileSync('${file}', '${twoRestarts()}')`]);
    const since = Date.now();
    cluster.writeModule('larger', source(10));
    await cluster.push('larger');
    const restarts = await cluster.waitForLog('betty', ({ msg }) => msg.startsWith('the node restarts'), since);
    expect(restarts).toMatchObject({ reason: 'memory', script: null });
    expect(restarts.msg).toMatch(/it holds \d+ MB, more than its limit of 256 MB, and no single module is to blame/);
    await waitForRestart(cluster, 'betty', since);
    const refusals = async () =>
      (await cluster.nodes()).map(node => (node.status === 'present' ? node.refusals['larger'] : node.status));
    const leftOut = { reason: 'system_limit', detail: expect.stringMatching(/^left out: /) as string };
    await expect.poll(refusals, { timeout: 60_000 }).toEqual([undefined, undefined, expect.objectContaining(leftOut)]);
    expect(await runningRevisions(cluster, 'large')).toEqual([revision]);

    cluster.writeModule('larger', versionSource('small'));
    await cluster.push('larger');
    await waitForConvergence(cluster);
    await cluster.change('remove', 'large');
  });
});

describe('a module that needs more memory than the nodes have left', () => {
  it('is refused in the prepare phase, and nothing changes', async ({ cluster }) => {
    for (const module of ['roomy', 'roomier']) {
      const held = `const held = Buffer.alloc(130_000_000, 1); export const size = (): number => held.length;`;
      cluster.writeModule(module, `${held}\n${versionSource('one')}`);
    }
    expect((await cluster.push('roomy')).exitCode).toBe(0);
    const { exitCode, result } = await cluster.push('roomier');
    expect({ exitCode, outcome: result.outcome }).toEqual({ exitCode: 1, outcome: 'refused' });
    expect(result.nodes).toHaveLength(3);
    for (const node of result.nodes) {
      expect(node).toMatchObject({
        reason: 'system_limit',
        detail: expect.stringMatching(/^it needs about 1\d\d MB, and this node has \d+ MB left of 256 MB$/) as string,
      });
    }
    expect(await runningRevisions(cluster, 'roomier')).toEqual([null]);
    await cluster.change('remove', 'roomy');
  });
});

describe('the watchdog', () => {
  it('does not end a node whose container was paused', async ({ cluster }) => {
    cluster.writeModule('calm', versionSource('one'));
    const { revision } = await cluster.push('calm');
    const startedAt = async () => (await cluster.nodes()).map(node => node.status === 'present' && node.startedAt);
    const before = await startedAt();
    const betty = await cluster.container('betty');
    await pause(betty);
    // Longer than the timeout of the event loop.
    await cluster.ping('betty', '--timeout', '3');
    await betty.unpause();
    await waitForConvergence(cluster);
    expect(await startedAt()).toEqual(before);
    expect(await runningRevisions(cluster, 'calm')).toEqual([revision]);
  });

  it('leaves a node alone that stands at a breakpoint in a TypeScript file, and a push names it', async ({
    cluster,
  }) => {
    const source = (name: string): string =>
      `type Name = string;\n\nexport function version(): Name {\n  return '${name}';\n}\n`;
    cluster.writeModule('debugged', source('one'));
    const { revision } = await cluster.push('debugged');
    const startedAt = async () => (await cluster.nodes()).map(node => node.status === 'present' && node.startedAt);
    const before = await startedAt();
    const since = Date.now();
    {
      await using attached = await debugNode((await cluster.container('fred')).id, '/home/wilma/modules');
      const { debug } = attached;
      await debug.breakAt(`debugged@${shortRevision(revision)}`, 'file:///home/wilma/modules/debugged.ts', 4);
      const noted = async () =>
        (await cluster.status()).result.nodes.filter(row => row.module === 'debugged' && row.detail !== undefined);
      await expect
        .poll(noted, { timeout: 60_000 })
        .toMatchObject([{ node: 'fred', state: 'ok', detail: 'a debugger is attached' }]);
      const call = cluster.call('debugged.version()', '--node', 'fred', '--timeout', '30');
      expect(await debug.paused()).toBe('file:///home/wilma/modules/debugged.ts:4');
      cluster.writeModule('debugged', source('two'));
      // Longer than the timeout of the event loop.
      const { result, exitCode } = await cluster.push('debugged', '--timeout', '8');
      expect(exitCode).toBe(3);
      expect(result.nodes[0]).toEqual({ node: 'fred', status: 'silent', detail: 'a debugger is attached' });
      await debug.resume();
      expect((await call).result.nodes).toMatchObject([{ status: 'value', json: '"one"' }]);
    }
    await cluster.waitForLog('fred', ({ msg }) => msg.startsWith('a debugger is attached'), since);
    await cluster.waitForLog('fred', ({ msg }) => msg.startsWith('the debugger has left'), since);
    await waitForConvergence(cluster);
    expect(await startedAt()).toEqual(before);
    expect((await cluster.history('debugged')).map(({ outcome }) => outcome?.loaded)).toEqual([2, 3]);
  });

  it('allows an event loop to block for less than its timeout', async ({ cluster }) => {
    cluster.writeModule(
      'slow',
      'export function work() { for (const at = Date.now(); Date.now() - at < 500; ); return 1; }',
    );
    await cluster.push('slow');
    const { exitCode } = await cluster.call('slow.work()');
    expect(exitCode).toBe(0);
  });
});
