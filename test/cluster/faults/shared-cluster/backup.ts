import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect } from 'vitest';

import { SIGNING_KEY } from '../../../../controller/src/store/keyring.ts';
import type { ResultOf } from '../../../../controller/src/api/results.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';
import { isHealthy } from '../../../support/cluster/cluster-state.ts';
import { waitForReconnection } from '../../../support/cluster/convergence.ts';
import { versionSource } from '../../../support/cluster/module-sources.ts';
import { it } from './cluster.ts';

const BACKUP = '/tmp/hotcast.backup';

/** Runs `hotcast …` in the controller's container, where the file of a backup is. */
const inContainer = (cluster: Cluster, ...args: string[]) =>
  cluster.exec('controller', ['env', 'HOTCAST_PASSPHRASE=yabba dabba doo', 'hotcast', ...args]);

async function expectDone(cluster: Cluster, ...args: string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await inContainer(cluster, ...args);
  expect({ exitCode, output: exitCode === 0 ? '' : stdout + stderr }, args.join(' ')).toEqual({
    exitCode: 0,
    output: '',
  });
}

async function pushVersion(cluster: Cluster, module: string, version: string): Promise<string> {
  cluster.writeModule(module, versionSource(version));
  const { exitCode, revision } = await cluster.push(module);
  expect(exitCode).toBe(0);
  return revision;
}

/** The revisions of a module, by node. */
async function running(cluster: Cluster, module: string): Promise<Record<string, string | undefined>> {
  const rows = Object.entries(await cluster.revisions());
  return Object.fromEntries(rows.map(([node, modules]) => [node, modules?.[module]]));
}

const everywhere = (cluster: Cluster, revision: string | undefined) =>
  Object.fromEntries(cluster.nodeNames.map(node => [node, revision]));

async function processes(cluster: Cluster): Promise<unknown[]> {
  return (await cluster.nodes()).map(row => (row.status === 'silent' ? row : [row.node, row.pid, row.startedAt]));
}

/** Replaces the data of NATS by what a command leaves in /data, as an operator does who copies an old disk back. */
async function replaceStream(cluster: Cluster, command: string): Promise<void> {
  expect((await cluster.exec('nats', ['sh', '-c', command])).exitCode).toBe(0);
  const killedAt = Date.now();
  await cluster.kill('nats');
  await (await cluster.container('nats')).start();
  await waitForReconnection(cluster, killedAt);
}

describe('a backup', () => {
  it('brings an older state back, removes what came later, and records it', async ({ cluster }) => {
    const [one, two] = [await pushVersion(cluster, 'saved', 'one'), await pushVersion(cluster, 'saved', 'two')];
    await expectDone(cluster, 'backup', BACKUP);
    await pushVersion(cluster, 'saved', 'three');
    await pushVersion(cluster, 'later', 'one');
    const before = await processes(cluster);

    await expectDone(cluster, 'restore', BACKUP);
    expect(await running(cluster, 'saved')).toEqual(everywhere(cluster, two));
    expect(await running(cluster, 'later')).toEqual(everywhere(cluster, undefined));
    const [newest] = await cluster.history('saved');
    expect(newest).toMatchObject({
      revision: two,
      note: expect.stringMatching(/^restore of 20/) as string,
      repeats: true,
    });
    expect(await processes(cluster)).toEqual(before);
    const { stdout } = await cluster.hotcast('audit', '--json', '--since', '10m');
    const entries = (JSON.parse(stdout) as ResultOf<'audit'>).entries.map(({ command, outcome, detail }) => [
      command,
      outcome,
      detail,
    ]);
    expect(entries).toContainEqual(['backup', 'done', 'without the signing key']);
    expect(entries).toContainEqual(['restore', 'committed', expect.anything()]);
    expect((await cluster.change('rollback', 'saved', '--to', one)).exitCode).toBe(0);
  });

  it('brings a lost stream back with its history, while nodes run', async ({ cluster }) => {
    const before = await processes(cluster);
    const old = (await cluster.history('saved')).map(({ revision }) => revision);
    await pushVersion(cluster, 'later', 'two');
    await replaceStream(cluster, 'rm -rf /data/*');
    await expect.poll(async () => (await cluster.status()).result.heads).toEqual([]);

    await expectDone(cluster, 'restore', BACKUP);
    const [newest, ...history] = await cluster.history('saved');
    expect(await running(cluster, 'saved')).toEqual(everywhere(cluster, newest?.revision ?? ''));
    // The stream has lost what says that it should run.
    expect(await running(cluster, 'later')).toEqual(everywhere(cluster, undefined));
    // The backup has the first two. While it is written, the controller can write the newest head that it knows over them.
    const ofBackup = history.slice(-2);
    expect(ofBackup.map(({ revision }) => revision)).toEqual(old.slice(-2));
    expect(ofBackup.every(({ outcome }) => outcome?.verdict === 'committed')).toBe(true);
    expect(await processes(cluster)).toEqual(before);
    await cluster.addNodes(1);
    const name = cluster.nodeNames.at(-1) ?? '';
    await expect.poll(async () => (await running(cluster, 'saved'))[name]).toBe(newest?.revision);
    await pushVersion(cluster, 'saved', 'four');
  });

  it('of another cookie, or a damaged one, changes nothing', async ({ cluster }) => {
    const before = await cluster.history('saved');
    await cluster.exec('controller', [
      'sh',
      '-c',
      `half=$(($(stat -c %s ${BACKUP}) / 2)); head -c $half ${BACKUP} > /tmp/cut; (head -c $half ${BACKUP}; echo) > /tmp/bad`,
    ]);
    for (const [file, text] of [
      ['/tmp/cut', 'the backup is cut off'],
      ['/tmp/bad', 'the backup is '],
      ['/proc/self/status', 'not a backup of Hotcast'],
      ['/tmp/none', 'no such file'],
    ] as const) {
      const { exitCode, stderr } = await inContainer(cluster, 'restore', file);
      expect({ exitCode, stderr }, file).toEqual({ exitCode: 2, stderr: expect.stringContaining(text) as string });
    }
    expect(await cluster.history('saved')).toEqual(before);
  });
});

describe('an older stream under a controller that remembers newer heads', () => {
  it('reverts no node, gives a node that starts what it has, and is named until an operator chooses', async ({
    cluster,
  }) => {
    const older = await pushVersion(cluster, 'aged', 'old');
    expect((await cluster.exec('nats', ['sh', '-c', 'cp -a /data/jetstream /data/copy'])).exitCode).toBe(0);
    const newer = await pushVersion(cluster, 'aged', 'new');
    const startedAt = Date.now();
    const nodes = cluster.nodeNames;
    await replaceStream(cluster, 'rm -rf /data/jetstream && mv /data/copy /data/jetstream');
    await cluster.waitForLog(
      'controller',
      ({ msg }) => msg.startsWith('the stream is older than what runs'),
      startedAt,
    );

    await cluster.addNodes(1);
    const name = cluster.nodeNames.at(-1) ?? '';
    await expect.poll(async () => (await running(cluster, 'aged'))[name]).toBe(older);
    const stays = Object.fromEntries(nodes.map(node => [node, newer]));
    expect(await running(cluster, 'aged')).toEqual({ ...stays, [name]: older });
    const { stderr } = await cluster.status();
    expect(stderr).toMatch(
      /warning: the stream is older than what runs: it lacks the newest aged.*hotcast restore FILE/,
    );

    expect((await cluster.change('rollback', 'aged', '--to', older)).exitCode).toBe(0);
    expect(await running(cluster, 'aged')).toEqual(everywhere(cluster, older));
    expect((await cluster.status()).stderr).not.toContain('older than what runs');
  });
});

describe('a signing key that is lost', () => {
  it('is named with the command that works; the controller is unhealthy until it has one', async ({ cluster }) => {
    await expectDone(cluster, 'backup', BACKUP, '--keys');
    await expect.poll(() => isHealthy(cluster)).toBe(true);
    for (const command of [
      ['keys', 'rotate'],
      ['restore', BACKUP, '--keys'],
    ]) {
      rmSync(join(cluster.keys.folder('controller'), cluster.cookie, SIGNING_KEY));
      cluster.writeModule('signed', versionSource(command.join(' ')));
      expect(await cluster.hotcast('push', 'signed')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(/^hotcast: the signing key is lost .* hotcast keys rotate\b.*\n$/) as string,
      });
      await expect.poll(() => isHealthy(cluster)).toBe(false);
      await expectDone(cluster, ...command);
      await expect.poll(() => isHealthy(cluster)).toBe(true);
      expect((await cluster.push('signed')).exitCode).toBe(0);
    }
  });
});
