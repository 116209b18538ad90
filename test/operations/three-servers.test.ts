import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ACCOUNTS_FILE } from '../../controller/src/services/keygen/nats-accounts.ts';
import { openAudit } from '../../controller/src/store/audit.ts';
import { isNoAnswer } from '../../controller/src/store/no-answer.ts';
import { openStore, type StreamStore } from '../../controller/src/store/stream-store.ts';
import { Verifier } from '../../node-image/src/admission/verifier.ts';
import { recordReader } from '../../node-image/src/cluster/record-reader.ts';
import { ClusterKeys } from '../../packages/testing/src/fleet/cluster-keys.ts';
import { encodeBundle } from '../../protocol/bundle.ts';
import type { Head } from '../../protocol/head.ts';
import { inboxPrefix, nodeInbox } from '../../protocol/inboxes.ts';
import { auditStreamOf, streamOf, subjectsOf } from '../../protocol/subjects.ts';
import { openTrust } from '../../shared/signing/trust.ts';
import type { Logger } from '../../shared/logger.ts';
import { openConnection } from '../../shared/nats/connection.ts';
import { NatsCluster } from '../support/nats/nats-cluster.ts';
import { bundleOf, headOf } from '../unit/fixtures.ts';

const COOKIE = 'dino';
const MODULE = 'demo';
const PUSHES = 400;
const HISTORY_PUSHES = 20;
const READS_BEHIND = 3;
const DEADLINE_MS = 30_000;

const subjects = subjectsOf(COOKIE);
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

const folder = mkdtempSync(join(tmpdir(), 'hotcast-three-servers-'));
const keys = new ClusterKeys(join(folder, 'keys'));
let servers: NatsCluster;
let controller: NatsConnection;
let node: NatsConnection;
let store: StreamStore;

const CONTROLLER = { name: 'controller', inboxPrefix: inboxPrefix('controller') };
const connectionConfig = () => ({ natsUrl: servers.url, keysDir: join(keys.folder('controller'), COOKIE) });
const storeOptions = (replicas: number) => {
  return { cookie: COOKIE, subjects, keyring: keys.keyring(COOKIE), maxBytes: 2 ** 30, replicas };
};

/** A connection whose replica is behind: what it has answered to a direct get, it answers some more times. */
function behind(nats: NatsConnection): NatsConnection {
  const answers = new Map<string, { readonly answer: Promise<Msg>; left: number }>();
  const request: NatsConnection['request'] = (subject, payload, options) => {
    const before = answers.get(subject);
    if (before !== undefined && (before.left -= 1) >= 0) return before.answer;
    const answer = nats.request(subject, payload, options);
    if (subject.startsWith('$JS.API.DIRECT.GET.')) answers.set(subject, { answer, left: READS_BEHIND });
    return answer;
  };
  return new Proxy(nats, {
    get(target, key) {
      if (key === 'request') return request;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Opens the cookie's streams, as soon as the servers have a leader. */
async function open(replicas: number): Promise<StreamStore> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    try {
      await openAudit(controller, COOKIE, subjects, '', replicas);
      return await openStore(controller, storeOptions(replicas));
    } catch (error) {
      if (!isNoAnswer(error) || performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

/** How many servers have a stream, and how many of them have all of it. */
async function replicasOf(stream: string): Promise<{ readonly all: number; readonly current: number }> {
  const { config, cluster } = await (await jetstreamManager(node)).streams.info(stream);
  const followers = cluster?.replicas ?? [];
  return { all: config.num_replicas, current: 1 + followers.filter(({ current }) => current).length };
}

beforeAll(async () => {
  keys.make(COOKIE);
  servers = await NatsCluster.start(readFileSync(join(keys.folder('nats'), ACCOUNTS_FILE), 'utf8'));
  controller = await openConnection(connectionConfig(), CONTROLLER, silent);
  node = await connect({
    servers: servers.url.split(','),
    authenticator: keys.tester,
    inboxPrefix: nodeInbox('fred'),
    maxReconnectAttempts: -1,
  });
  store = await open(1);
});

afterAll(async () => {
  await node.close();
  await controller.close();
  await servers[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('streams with one replica', () => {
  it('are raised to three in place, with the permissions of a controller, and never lowered', async () => {
    const first = headOf(MODULE, 'f'.repeat(64), 1);
    await store.writeHeads([{ head: first, position: 0 }]);
    store = await open(3);
    for (const stream of [streamOf(COOKIE), auditStreamOf(COOKIE)]) {
      await expect.poll(() => replicasOf(stream), { timeout: DEADLINE_MS }).toEqual({ all: 3, current: 3 });
    }
    await open(1);
    expect(await replicasOf(streamOf(COOKIE))).toMatchObject({ all: 3 });
    expect(await store.heads()).toEqual([first]);
  });
});

describe('a read right after a write, of whichever replica', () => {
  it('has what this process has written: heads, their history and results', async () => {
    let { position } = await store.lastHead(MODULE);
    for (let push = 2; push <= PUSHES; push += 1) {
      const head = headOf(MODULE, String(push).padStart(64, '0'), push);
      expect(await store.writeHeads([{ head, position }])).toBe(true);
      const last = await store.lastHead(MODULE);
      expect(last.head).toEqual(head);
      ({ position } = last);
      expect(await store.heads()).toEqual([head]);
      await store.writeHeadResult({
        module: MODULE,
        sequence: push,
        verdict: 'committed',
        loaded: 1,
        refused: 0,
        silent: 0,
      });
      expect(await store.headResults()).toMatchObject([{ sequence: push }]);
    }
  });

  it('has the history of the heads that were written', async () => {
    let { position } = await store.lastHead(MODULE);
    for (let push = 1; push <= HISTORY_PUSHES; push += 1) {
      const head = headOf(MODULE, 'c'.repeat(64), PUSHES + push);
      await store.writeHeads([{ head, position }]);
      expect((await store.history(MODULE)).at(-1)).toEqual(head);
      ({ position } = await store.lastHead(MODULE));
    }
  });

  it('has heads that were written together', async () => {
    const sequence = PUSHES + HISTORY_PUSHES + 1;
    const heads = ['counter', MODULE, 'greeter'].map(module => headOf(module, 'a'.repeat(64), sequence));
    const positionOf = async ({ module }: Head): Promise<number> => (await store.lastHead(module)).position;
    const writes = await Promise.all(heads.map(async head => ({ head, position: await positionOf(head) })));
    expect(await store.writeHeads(writes)).toBe(true);
    expect((await store.heads()).toSorted((a, b) => a.module.localeCompare(b.module))).toEqual(heads);
  });

  it.each([0, 1, 2])(
    'heads that were written together are all refused if number %i was decided upon an older one',
    async late => {
      const last = await Promise.all(['counter', MODULE, 'greeter'].map(module => store.lastHead(module)));
      const writes = last.map(({ head, position }, index) => {
        const next = headOf(head?.module ?? '', 'd'.repeat(64), PUSHES + HISTORY_PUSHES + 2);
        return { head: next, position: index === late ? position - 1 : position };
      });
      expect(await store.writeHeads(writes)).toBe(false);
      expect(await Promise.all(last.map(({ head }) => store.lastHead(head?.module ?? '')))).toEqual(last);
    },
  );

  it('has what another controller has written, when heads that were written together came too late for it', async () => {
    const nats = await openConnection(connectionConfig(), { ...CONTROLLER, name: 'late' }, silent);
    const late = await openStore(behind(nats), storeOptions(3));
    const modules = ['alpha', 'omega'];
    const last = await Promise.all(modules.map(module => late.lastHead(module)));
    const writesOf = (revision: string) =>
      modules.map((module, index) => ({ head: headOf(module, revision, 1), position: last[index]?.position ?? 0 }));
    const theirs = writesOf('e'.repeat(64));
    expect(await store.writeHeads(theirs)).toBe(true);
    expect(await late.writeHeads(writesOf('d'.repeat(64)))).toBe(false);
    const found = await Promise.all(modules.map(module => late.lastHead(module)));
    expect(found.map(({ head }) => head)).toEqual(theirs.map(({ head }) => head));
    await nats.close();
  });

  it('has the bundle that a head names, on a node', async () => {
    const trusted = openTrust(join(keys.folder('trust'), COOKIE), subjects);
    const records = await recordReader(node, COOKIE, new Verifier(trusted, subjects, () => undefined), silent);
    for (let push = 1; push <= PUSHES; push += 1) {
      const bundle = bundleOf(MODULE, `exports.version = ${push};`);
      await store.putBundle(bundle, encodeBundle(bundle));
      expect(await records.bundle(MODULE, bundle.revision)).toEqual(bundle);
    }
  });
});

describe('when the server goes that leads the stream', () => {
  it('another one answers the next read and takes the next write', async () => {
    const { cluster } = await (await jetstreamManager(node)).streams.info(streamOf(COOKIE));
    const leader = servers.server(cluster?.leader ?? '');
    const before = await store.lastHead(MODULE);
    await leader.stop();
    expect(await store.lastHead(MODULE)).toEqual(before);
    const head = headOf(MODULE, 'b'.repeat(64), PUSHES + HISTORY_PUSHES + 2);
    expect(await store.writeHeads([{ head, position: before.position }])).toBe(true);
    expect((await store.lastHead(MODULE)).head).toEqual(head);
    await leader.resume();
    await expect.poll(() => replicasOf(streamOf(COOKIE)), { timeout: DEADLINE_MS }).toEqual({ all: 3, current: 3 });
    expect((await store.lastHead(MODULE)).head).toEqual(head);
  });
});
