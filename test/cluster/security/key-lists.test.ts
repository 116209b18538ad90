import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { jetstreamManager } from '@nats-io/jetstream';
import { describe, expect } from 'vitest';

import { KEY_LISTS, ROOT_KEY } from '../../../controller/src/store/key-lists.ts';
import { openKeyring, SIGNING_KEY } from '../../../controller/src/store/keyring.ts';
import { encode, encodeRecord } from '../../../protocol/codec.ts';
import { joinFrames } from '../../../protocol/bytes/framing.ts';
import type { Head } from '../../../protocol/head.ts';
import { signEnvelope } from '../../../protocol/signing/envelope.ts';
import { type KeyList, signKeyList } from '../../../protocol/signing/key-list.ts';
import { makeSigningKey, readSigningKey, type SigningKey } from '../../../protocol/signing/keys.ts';
import { streamOf, subjectsOf } from '../../../protocol/subjects.ts';
import { replaceFile } from '../../../shared/files.ts';
import { Attacker } from '../../support/attack/attacker.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { runningRevisions } from '../../support/cluster/convergence.ts';
import { versionSource } from '../../support/cluster/module-sources.ts';
import { NodeObserver } from '../../support/cluster/node-observer.ts';
import { openStream } from '../../support/cluster/open-stream.ts';

const it = clusterTest({ nodes: 3 }).extend('attacker', { scope: 'file' }, async ({ cluster }, { onCleanup }) => {
  // Nodes have no files of keys but the root key's, as in a cluster without volumes.
  for (const file of trustFiles(cluster)) if (file !== 'root.pub') rmSync(join(trustDir(cluster), file));
  const attacker = await Attacker.as(cluster, 'controller');
  onCleanup(() => attacker[Symbol.asyncDispose]());
  return attacker;
});

const trustDir = (cluster: Cluster) => join(cluster.keys.folder('trust'), cluster.cookie);
const trustFiles = (cluster: Cluster) => readdirSync(trustDir(cluster));
const keyOf = (cluster: Cluster, file: string): SigningKey =>
  readSigningKey(readFileSync(join(cluster.keys.folder('controller'), cluster.cookie, file), 'utf8'));

async function pushVersion(cluster: Cluster, version: string): Promise<string> {
  cluster.writeModule('signed', versionSource(version));
  const { exitCode, revision } = await cluster.push('signed');
  expect(exitCode).toBe(0);
  return revision;
}

/** Rotates the signing key with the shortest overlap. Returns the ids of the new key and of those before it. */
async function rotate(cluster: Cluster): Promise<{ key: string; previous: string[] }> {
  const { exitCode, stdout, stderr } = await cluster.hotcast('keys', 'rotate', '--overlap', '10s', '--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout) as { key: string; previous: string[] };
}

/** Resolves when a node trusts these keys alone. */
const waitForKeys = (cluster: Cluster, node: string, keys: readonly string[], after: number) =>
  cluster.waitForLog(
    node,
    line => line.msg === 'trusts other keys' && JSON.stringify(line.keys) === JSON.stringify(keys),
    after,
  );

/** The last list of keys in the stream, in Base64. */
async function lastList(cluster: Cluster, { nats }: Attacker): Promise<string> {
  const { direct } = await jetstreamManager(nats, { checkAPI: false });
  const last = await direct.getMessage(streamOf(cluster.cookie), { last_by_subj: subjectsOf(cluster.cookie).keys });
  return Buffer.from(last?.data ?? []).toString('base64');
}

/** What nobody has signed that a node trusts, or what does not count, changes nothing: the process and what runs in it. */
async function expectUnchanged(cluster: Cluster, attack: () => void | Promise<void>, rejected: number): Promise<void> {
  await using observer = await NodeObserver.connect(cluster);
  const [snapshot, before] = [await observer.snapshot(), await observer.nodes()];
  await attack();
  const rejections = async () =>
    [...(await observer.nodes()).values()].map(({ node, rejected: now }) => now - (before.get(node)?.rejected ?? 0));
  await expect.poll(rejections).toEqual(cluster.nodeNames.map(() => rejected));
  expect(await observer.snapshot()).toEqual(snapshot);
}

const listOf = (number: number, ...keys: readonly SigningKey[]): KeyList => ({
  number,
  trusted: keys.map(({ publicHalf }) => publicHalf),
  ended: [],
});

describe('a rotation', () => {
  it('changes no file of a node, and a node that was away during two of them follows the newest key', async ({
    cluster,
    attacker,
  }) => {
    expect(attacker.nats.isClosed()).toBe(false);
    await pushVersion(cluster, 'one');
    const files = () => trustFiles(cluster).map(file => [file, readFileSync(join(trustDir(cluster), file), 'utf8')]);
    const [before, nodes] = [files(), await cluster.nodes()];
    const [near = '', , away = ''] = cluster.nodeNames;
    await cluster.disconnect(away);
    const startedAt = Date.now();
    await rotate(cluster);
    const { key, previous } = await rotate(cluster);
    expect(previous).toHaveLength(2);
    await waitForKeys(cluster, near, [key], startedAt);
    const two = (await cluster.push('signed', '--timeout', '2')).revision;
    cluster.writeModule('signed', versionSource('two'));
    const pushed = await cluster.push('signed', '--timeout', '2');
    expect([pushed.exitCode, pushed.revision === two]).toEqual([3, false]);

    await cluster.reconnect(away);
    await expect.poll(() => runningRevisions(cluster, 'signed'), { timeout: 30_000 }).toEqual([pushed.revision]);
    const after = await cluster.nodes();
    const processes = (rows: typeof after) => rows.map(row => (row.status === 'present' ? row.startedAt : null));
    expect(processes(after)).toEqual(processes(nodes));
    expect(after.every(row => row.status === 'present' && row.rejected === 0)).toBe(true);
    expect(files()).toEqual(before);
  });

  it('leaves a node that starts only what the newest key has signed', async ({ cluster }) => {
    const revision = await pushVersion(cluster, 'three');
    await cluster.addNodes(1);
    await expect.poll(() => runningRevisions(cluster, 'signed')).toEqual([revision]);
  });
});

describe('a root key that is kept elsewhere', () => {
  it('makes keys there; a controller that is given them has nodes trust them, and nothing restarts', async ({
    cluster,
    attacker,
  }) => {
    expect(attacker.nats.isClosed()).toBe(false);
    const own = join(cluster.keys.folder('controller'), cluster.cookie);
    const elsewhere = join(own, '../../elsewhere');
    cpSync(own, elsewhere, { recursive: true });
    rmSync(join(own, ROOT_KEY));
    const nodes = await cluster.nodes();
    const refused = await cluster.hotcast('keys', 'rotate');
    expect(refused).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('there is no root key here') as string,
    });

    const before = keyOf(cluster, SIGNING_KEY).id;
    const keyring = openKeyring(elsewhere, trustDir(cluster), subjectsOf(cluster.cookie).keys);
    for (let next = keyring.nextKeyList(); next !== null; next = keyring.nextKeyList())
      keyring.takeKeyList(next.envelope);
    const { key, install } = keyring.rotate(600_000);
    install();
    const givenAt = Date.now();
    for (const file of [KEY_LISTS, SIGNING_KEY]) {
      replaceFile(join(own, file), readFileSync(join(elsewhere, file)), 0o644);
      // The key is used when nodes trust it.
      if (file === KEY_LISTS) await waitForKeys(cluster, cluster.nodeNames[0] ?? '', [key, before], givenAt);
    }
    const revision = await pushVersion(cluster, 'signed elsewhere');
    expect(await runningRevisions(cluster, 'signed')).toEqual([revision]);
    expect(keyOf(cluster, SIGNING_KEY).id).toBe(key);
    const processes = (rows: typeof nodes) => rows.map(row => (row.status === 'present' ? row.startedAt : null));
    expect(processes(await cluster.nodes())).toEqual(processes(nodes));
    replaceFile(join(own, ROOT_KEY), readFileSync(join(elsewhere, ROOT_KEY)), 0o644);
  });
});

describe('a list of keys', () => {
  it.for<[string, (cluster: Cluster, stranger: SigningKey) => Uint8Array]>([
    [
      'the key that signs',
      (cluster, stranger) =>
        signKeyList(keyOf(cluster, SIGNING_KEY), subjectsOf(cluster.cookie).keys, listOf(99, stranger)),
    ],
    ['a stranger', (cluster, stranger) => signKeyList(stranger, subjectsOf(cluster.cookie).keys, listOf(99, stranger))],
    [
      'a stranger in the name of the root key',
      (cluster, stranger) => {
        const { id } = keyOf(cluster, ROOT_KEY);
        return signKeyList({ ...stranger, id }, subjectsOf(cluster.cookie).keys, listOf(99, stranger));
      },
    ],
    [
      'the root key for another cookie',
      (cluster, stranger) => signKeyList(keyOf(cluster, ROOT_KEY), subjectsOf('quarry').keys, listOf(99, stranger)),
    ],
  ])('that %s has signed is rejected, in a message and in the stream', async ([, forge], { cluster, attacker }) => {
    const subjects = subjectsOf(cluster.cookie);
    const list = forge(cluster, readSigningKey(makeSigningKey()));
    await expectUnchanged(cluster, () => attacker.nats.publish(subjects.all('keys'), list), 1);
    attacker.nats.publish(subjects.keys, list);
    await attacker.nats.flush();
    await pushVersion(cluster, `after ${list.length}`);
    await cluster.addNodes(1);
    expect(await runningRevisions(cluster, 'signed')).toHaveLength(1);
    const isLast = async () => (await lastList(cluster, attacker)) === Buffer.from(list).toString('base64');
    await expect.poll(isLast).toBe(false);
  });

  it('that is older changes nothing when it is sent again, and the controller writes the newest over it', async ({
    cluster,
    attacker,
  }) => {
    const subjects = subjectsOf(cluster.cookie);
    const manager = await jetstreamManager(attacker.nats, { checkAPI: false });
    const newest = await lastList(cluster, attacker);
    const old = signKeyList(keyOf(cluster, ROOT_KEY), subjects.keys, listOf(1, readSigningKey(makeSigningKey())));
    await expectUnchanged(cluster, () => attacker.nats.publish(subjects.all('keys'), old), 0);
    const writtenAt = Date.now();
    attacker.nats.publish(subjects.keys, old);
    await attacker.nats.flush();
    const now = () => lastList(cluster, attacker);
    await expect.poll(now).toBe(newest);
    await cluster.waitForLog(
      'controller',
      ({ msg }) => msg.startsWith('the newest list of keys was lost or overwritten'),
      writtenAt,
    );
    await manager.streams.purge(streamOf(cluster.cookie), { filter: subjects.keys });
    await expect.poll(now).toBe(newest);
    await pushVersion(cluster, 'after an old list');
  });

  it('is all that the root key can sign: a head is not', async ({ cluster, attacker }) => {
    const subject = subjectsOf(cluster.cookie).head('signed');
    await using stream = await openStream(cluster);
    const { head } = await stream.store.lastHead('signed');
    const forged = signEnvelope(keyOf(cluster, ROOT_KEY), subject, encodeRecord(later(head)));
    await expectUnchanged(
      cluster,
      () => attacker.send(subjectsOf(cluster.cookie).all('commit'), joinFrames([forged])),
      1,
    );
  });
});

describe('a revoked key', () => {
  it('is believed by no node and not by the controller, and what it has signed is signed again before', async ({
    cluster,
    attacker,
  }) => {
    const subjects = subjectsOf(cluster.cookie);
    const stolen = keyOf(cluster, SIGNING_KEY);
    await pushVersion(cluster, 'stolen');
    expect((await cluster.hotcast('keys', 'revoke', stolen.id)).stderr).toContain('is the key that signs');
    const { key } = await rotate(cluster);
    const revokedAt = Date.now();
    const revoked = await cluster.hotcast('keys', 'revoke', stolen.id);
    expect(revoked).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('nobody believes the key') as string,
    });
    for (const node of cluster.nodeNames) await waitForKeys(cluster, node, [key], revokedAt);

    const history = await cluster.history('signed');
    await using stream = await openStream(cluster);
    const { head } = await stream.store.lastHead('signed');
    const forged = signEnvelope(stolen, subjects.head('signed'), encodeRecord(later(head)));
    await expectUnchanged(cluster, () => attacker.send(subjects.all('commit'), joinFrames([forged])), 1);
    attacker.nats.publish(subjects.head('signed'), forged);
    await attacker.nats.flush();
    await cluster.waitForLog('controller', ({ msg }) => msg.startsWith('the newest heads were overwritten'), revokedAt);
    expect(await cluster.history('signed')).toEqual(history);
    await cluster.addNodes(1);
    expect(await runningRevisions(cluster, 'signed')).toEqual([head?.revision]);
    await pushVersion(cluster, 'after a revocation');
  });

  it('has to be one that is believed', async ({ cluster }) => {
    const { stderr } = await cluster.hotcast('keys', 'revoke', '0123456789abcdef');
    expect(stderr).toContain('no key that is believed has the id 0123456789abcdef');
  });
});

/** A head after this one, which has every node load nothing. */
function later(head: Head | null): object {
  if (head === null) throw new Error('the module has no head');
  return JSON.parse(
    Buffer.from(encode({ ...head, sequence: head.sequence + 1, revision: null, canary: null })).toString(),
  ) as object;
}
