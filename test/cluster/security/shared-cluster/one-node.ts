import { describe, expect } from 'vitest';

import type { Head } from '../../../../protocol/head.ts';
import type { EventKind } from '../../../../protocol/subjects.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { Attacker, UNKNOWN_NODE } from '../../../support/attack/attacker.ts';
import { answerBundleAs, forgedBan, speakAs } from '../../../support/attack/stolen-key.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';
import { waitForConvergence } from '../../../support/cluster/convergence.ts';
import { versionSource } from '../../../support/cluster/module-sources.ts';
import { descriptionOf, moduleStateOf } from '../../../unit/fixtures.ts';
import { it } from './cluster.ts';

/** Pushes two versions of a module. Returns their revisions, and the head of the second. */
async function pushTwo(cluster: Cluster, module: string) {
  cluster.writeModule(module, versionSource('one'));
  const { revision: before } = await cluster.push(module);
  cluster.writeModule(module, versionSource('two'));
  const { revision } = await cluster.push(module);
  const [head] = await cluster.history(module);
  if (head === undefined) throw new Error('no head');
  return { before, revision, head };
}

/** An event in which a node says that a head's revision brought it down. */
async function ban(cluster: Cluster, head: Head, node: string, name = node, kind: EventKind = 'stalled') {
  const { id } = await cluster.container(node);
  return forgedBan(cluster.cookie, head, name, id, kind);
}

const runningOn = async (cluster: Cluster, module: string) =>
  Object.fromEntries(Object.entries(await cluster.revisions()).map(([node, modules]) => [node, modules?.[module]]));

const bansOf = async (cluster: Cluster) => (await cluster.hotcast('bans')).stdout;

describe('one node, with its stolen key,', () => {
  it('that says a revision is banned is kept off it, until that is lifted, and nobody else', async ({ cluster }) => {
    const { before, revision, head } = await pushTwo(cluster, 'accused');
    // Under both of its names: it is one container all the same.
    const { id } = await cluster.container('fred');
    const second = `fred-${id.slice(0, 6)}`;
    await speakAs(cluster, 'fred', [
      await ban(cluster, head, 'fred', second, 'heartbeat'),
      await ban(cluster, head, 'fred'),
    ]);
    const nodes = { fred: before, bambam: revision, betty: revision };
    await expect.poll(() => runningOn(cluster, 'accused')).toMatchObject(nodes);
    const newest = async () => (await cluster.history('accused'))[0];
    await expect.poll(newest).toMatchObject({ revision, author: 'hotcast', outcome: { verdict: 'committed' } });
    expect((await newest())?.note).toMatch(/^quarantined, memory on fred/);
    // The second name is silent until it is forgotten.
    const status = async () => (await cluster.hotcast('status', '--verbose')).stdout;
    await expect.poll(status).toMatch(/accused +fred .* quarantined: kept off .*: took this node to 900 MB of memory/);
    expect((await cluster.hotcast('nodes')).stdout).toMatch(/fred .*\(quarantined from accused@\w+: memory\)/);
    expect(await bansOf(cluster)).toMatch(/accused@\w+ +fred +memory/);

    await cluster.hotcast('bans', '--lift', 'accused', '--message', 'it was forged');
    await waitForConvergence(cluster);
    expect(await newest()).toMatchObject({ note: 'lift', message: 'it was forged' });
    expect(await runningOn(cluster, 'accused')).toMatchObject({ fred: revision, bambam: revision, betty: revision });
    expect(await bansOf(cluster)).toBe('no node is kept off a revision\n');
  });

  it('that says so of the first revision of a module has nothing of it; the others run it', async ({ cluster }) => {
    cluster.writeModule('only', versionSource('one'));
    const { revision } = await cluster.push('only');
    const [head] = await cluster.history('only');
    if (head === undefined) throw new Error('no head');
    await speakAs(cluster, 'fred', [await ban(cluster, head, 'fred')]);
    const nodes = { fred: undefined, bambam: revision, betty: revision };
    await expect.poll(() => runningOn(cluster, 'only')).toMatchObject(nodes);
    await cluster.hotcast('bans', '--lift', 'only');
    await waitForConvergence(cluster);
  });

  it('ends a canary that it is in, and no other', async ({ cluster }) => {
    const { revision: before } = await pushTwo(cluster, 'tried');
    cluster.writeModule('tried', versionSource('three'));
    const { exitCode, revision } = await cluster.push(
      'tried',
      '--canary',
      'betty',
      '--watch',
      '1s',
      '--min-calls',
      '0',
    );
    expect(exitCode).toBe(0);
    const [head] = await cluster.history('tried');
    if (head === undefined) throw new Error('no head');
    /** A heartbeat with many failed calls, a stall, and a ban of the canary's revision. */
    const failing = async (node: string) => {
      const { subject, payload } = await ban(cluster, head, node, node, 'heartbeat');
      const modules = { tried: { ...moduleStateOf(revision, head.sequence), calls: 900, errors: 900 } };
      return { subject, payload: { ...payload, modules, loopDelay: 60_000, startedAt: 1 } };
    };
    await speakAs(cluster, 'fred', [await failing('fred')]);
    // Whatever it does of this, it has done when it reads a later event.
    await cluster.nodes();
    expect((await cluster.history('tried'))[0]?.sequence).toBe(head.sequence);
    expect(await runningOn(cluster, 'tried')).toMatchObject({ fred: before, bambam: before, betty: revision });

    await speakAs(cluster, 'betty', [await failing('betty')]);
    await expect.poll(() => runningOn(cluster, 'tried')).toMatchObject({ fred: before, bambam: before, betty: before });
    expect((await cluster.history('tried'))[0]).toMatchObject({ cause: 'canary', revision: before });
  });

  it('that says another time, that it leaves and that it is debugged changes no push', async ({ cluster }) => {
    const { id } = await cluster.container('fred');
    const subjects = subjectsOf(cluster.cookie);
    const hour = 3_600_000;
    const lie = {
      ...descriptionOf('fred', {}, id.slice(0, 12)),
      clock: Date.now() + hour,
      startedAt: Date.now() + hour,
      debugged: true,
    };
    await speakAs(cluster, 'fred', [
      { subject: subjects.event('fred', 'heartbeat'), payload: lie },
      { subject: subjects.event('fred', 'goodbye'), payload: { ...lie, leavesWithinMs: hour } },
    ]);
    cluster.writeModule('steady', versionSource('one'));
    const { exitCode, revision } = await cluster.push('steady');
    expect(exitCode).toBe(0);
    await expect
      .poll(() => runningOn(cluster, 'steady'))
      .toMatchObject({ fred: revision, bambam: revision, betty: revision });
    await waitForConvergence(cluster);
  });

  it('that has no container says nothing that counts', async ({ cluster }) => {
    const { revision, head } = await pushTwo(cluster, 'unharmed');
    await using attacker = await Attacker.as(cluster, 'node');
    const { payload } = await ban(cluster, head, 'fred', UNKNOWN_NODE);
    attacker.nats.publish(subjectsOf(cluster.cookie).event(UNKNOWN_NODE, 'stalled'), JSON.stringify(payload));
    const goodbye = JSON.stringify({ ...payload, leavesWithinMs: 0 });
    await attacker.nats.flush();
    // Two rounds of the controller.
    const since = Date.now();
    await expect.poll(() => Date.now() - since).toBeGreaterThan(5_000);
    attacker.nats.publish(subjectsOf(cluster.cookie).event(UNKNOWN_NODE, 'goodbye'), goodbye);
    await attacker.nats.flush();
    expect((await cluster.history('unharmed')).map(({ sequence }) => sequence)[0]).toBe(head.sequence);
    expect(await runningOn(cluster, 'unharmed')).toMatchObject({ fred: revision, bambam: revision, betty: revision });
  });

  it('of two that say so makes the fleet go back, and each is banned', async ({ cluster }) => {
    const { before, head } = await pushTwo(cluster, 'guilty');
    await speakAs(cluster, 'fred', [await ban(cluster, head, 'fred')]);
    await speakAs(cluster, 'betty', [await ban(cluster, head, 'betty')]);
    // Whether the controller hears both at once, one after the other, or one after its true next heartbeat.
    const again = async () => {
      const [newest] = await cluster.history('guilty');
      if (newest !== undefined && newest.cause === null) {
        const node = ['fred', 'betty'].find(each => !newest.keptOff.some(entry => entry.node === each));
        if (node !== undefined) await speakAs(cluster, node, [await ban(cluster, newest, node)]);
      }
      return runningOn(cluster, 'guilty');
    };
    await expect.poll(again, { timeout: 30_000 }).toMatchObject({ fred: before, bambam: before, betty: before });
    expect((await cluster.history('guilty'))[0]).toMatchObject({ cause: 'watchdog', revision: before });
    expect(await bansOf(cluster)).toMatch(/guilty@\w+ +(fred|betty) +memory/);
  });

  it('that refuses a push stops it, and a push --without it goes past it', async ({ cluster }) => {
    const { before } = await pushTwo(cluster, 'stopped');
    const { id } = await cluster.container('fred');
    const isFred = `hostname() === '${id.slice(0, 12)}'`;
    const source = `import { hostname } from 'node:os';
      if (${isFred}) throw new Error('not here');
      ${versionSource('three')}`;
    cluster.writeModule('stopped', source);
    const [, second] = await cluster.history('stopped');
    expect(second?.revision).toBe(before);
    const refused = await cluster.push('stopped');
    expect(refused.result.outcome).toBe('reverted');
    const two = (await runningOn(cluster, 'stopped'))['fred'];
    const pushed = await cluster.push('stopped', '--without', 'fred');
    expect({ exitCode: pushed.exitCode, outcome: pushed.result.outcome }).toEqual({
      exitCode: 0,
      outcome: 'committed',
    });
    const { revision } = pushed;
    const nodes = { fred: two, bambam: revision, betty: revision };
    expect(await runningOn(cluster, 'stopped')).toMatchObject(nodes);
    const status = await cluster.hotcast('status', '--verbose');
    expect(status.stdout).toMatch(/stopped +fred .* left out: kept off \w+: hotcast pushed it without fred/);

    // It stays left out when its container starts again and reads the stream, until a push that includes it.
    await (await cluster.container('fred')).restart();
    await expect.poll(() => runningOn(cluster, 'stopped')).toEqual(nodes);
    cluster.writeModule('stopped', versionSource('four'));
    const { revision: four } = await cluster.push('stopped');
    expect(await runningOn(cluster, 'stopped')).toMatchObject({ fred: four, bambam: four, betty: four });
  });

  it('that makes up a refusal in prepare stops that push, is named, and is gone past by name', async ({ cluster }) => {
    const { revision: two, head } = await pushTwo(cluster, 'denied');
    cluster.writeModule('denied', versionSource('three'));
    const lie = { status: 'refused', node: 'fred', reason: 'system_limit', detail: 'it is made up' };
    const first = await answerBundleAs(cluster, 'fred', lie);
    const refused = await cluster.push('denied');
    await first.answered;
    expect(refused).toMatchObject({ exitCode: 1, result: { outcome: 'refused' } });
    expect(refused.result.nodes.filter(({ status }) => status === 'refused')).toMatchObject([lie]);
    expect((await cluster.history('denied'))[0]?.sequence).toBe(head.sequence);
    expect(await runningOn(cluster, 'denied')).toMatchObject({ fred: two, bambam: two, betty: two });

    const second = await answerBundleAs(cluster, 'fred', lie);
    const pushed = await cluster.push('denied', '--without', 'fred');
    await second.answered;
    expect(pushed).toMatchObject({ exitCode: 0, result: { outcome: 'committed' } });
    const three = pushed.revision;
    expect(await runningOn(cluster, 'denied')).toMatchObject({ fred: two, bambam: three, betty: three });
  });

  it('finds the folder of no other node, where they keep bans and packages', async ({ cluster }) => {
    const { id } = await cluster.container('fred');
    const look = `const fs = require('node:fs');
      const found = path => { try { return fs.readdirSync(path).length >= 0; } catch (error) { return error.code; } };
      console.log(JSON.stringify([found('/var/lib/hotcast'), found('/var/lib/hotcast/${id}')]));`;
    const { stdout } = await cluster.exec('fred', ['node', '-e', look]);
    expect(JSON.parse(stdout)).toEqual(['EACCES', true]);
    // What others are told of a container is the beginning of the name only.
    const row = (await cluster.nodes()).find(({ node }) => node === 'fred');
    expect(row).toMatchObject({ container: id.slice(0, 12) });
  });

  it('that sends 4,500 messages a second stops no push, and is named', async ({ cluster }) => {
    const { id } = await cluster.container('betty');
    const subject = subjectsOf(cluster.cookie).event('betty', 'heartbeat');
    const payload = descriptionOf('betty', {}, id.slice(0, 12));
    const flood = speakAs(cluster, 'betty', [{ subject, payload, times: 45_000, overMs: 10_000 }]);
    await cluster.waitForLog('controller', ({ msg }) => msg.startsWith('betty floods the controller'));
    cluster.writeModule('flooded', versionSource('one'));
    const pushed = await cluster.hotcast('push', 'flooded');
    expect(pushed.stdout).toContain('3 loaded');
    expect(pushed.exitCode).toBe(0);
    expect(pushed.stderr + pushed.stdout).toMatch(/too many events in the last minute of betty/);
    await flood;
  });
});
