import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect } from 'vitest';

import { createController } from '../../../controller/src/server/create-controller.ts';
import { createNode } from '../../../node-image/src/create-node.ts';
import { inboxPrefix, nodeInbox } from '../../../protocol/inboxes.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { ROOT, run } from '../../support/shell.ts';
import { recordingLog } from '../../unit/fixtures.ts';

const it = clusterTest({ nodes: 1 });

const TIMES = 100;

const folder = mkdtempSync(join(tmpdir(), 'hotcast-life-cycle-'));
const preflightScript = join(folder, 'preflight.mjs');

const modulesDir = join(folder, 'modules');

beforeAll(async () => {
  mkdirSync(modulesDir);
  const entryPoint = 'controller/src/build/preflight/child/main.ts';
  const bundled = await run('npm', ['run', 'bundle', '--', entryPoint, `--outfile=${preflightScript}`], {});
  expect(bundled.exitCode, bundled.stderr).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What this process has open: one entry for each resource, listener, file, child process and global. */
function opened(): string[] {
  const listeners = process
    .eventNames()
    .flatMap(event => process.listeners(event).map(() => `${String(event)} listener`));
  const files = readdirSync('/proc/self/fd').map(() => 'file');
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  const globals = Reflect.ownKeys(globalThis).map(String);
  return [...process.getActiveResourcesInfo(), ...listeners, ...files, ...children.map(() => 'child'), ...globals];
}

/** The entries that are now more often in the list than they were before. */
function leftSince(before: readonly string[]): string[] {
  const left = opened();
  for (const each of before) {
    const index = left.indexOf(each);
    if (index >= 0) left.splice(index, 1);
  }
  return left;
}

/** Starts and disposes of something many times. The first time is for what Node.js itself opens once. */
async function startOften(start: () => Promise<AsyncDisposable>): Promise<void> {
  await (await start())[Symbol.asyncDispose]();
  const before = opened();
  for (let time = 0; time < TIMES; time += 1) await (await start())[Symbol.asyncDispose]();
  await expect.poll(() => leftSince(before), { timeout: 10_000 }).toEqual([]);
}

async function natsOf(cluster: Cluster, prefix: string): Promise<NatsConnection> {
  return connect({ ...(await cluster.natsOptions()), inboxPrefix: prefix });
}

describe('a hundred starts in one process leave nothing open', { timeout: 300_000 }, () => {
  it('of a node', async ({ cluster }) => {
    await startOften(async () =>
      createNode({
        nats: await natsOf(cluster, nodeInbox('wilma')),
        identity: { name: 'wilma', container: 'a-hundred' },
        log: recordingLog(),
        watchdogScript: new URL('data:text/javascript,setInterval(() => {}, 1_000)'),
        cookie: cluster.cookie,
        trustDir: join(cluster.keys.folder('trust'), cluster.cookie),
        healthFile: join(folder, 'health'),
        stateDir: join(folder, 'state'),
        externalDir: join(folder, 'external'),
        httpPort: 0,
        purgeTimeoutMs: 3_000,
        codeChangeTimeoutMs: 500,
        maxDrainingVersions: 8,
        maxDrainingMemoryPercent: 70,
        stopTimeoutMs: 8_000,
        eventLoopTimeoutMs: 5_000,
        memoryLimitMb: 4_096,
        logMaxCharsPerSecond: 1_000,
      }),
    );
  });

  it('of a controller', async ({ cluster }) => {
    await startOften(() =>
      createController({
        config: {
          cookie: cluster.cookie,
          natsUrl: 'nats://nats:4222',
          logLevel: 'info',
          keysDir: join(cluster.keys.folder('controller'), cluster.cookie),
          trustDir: join(cluster.keys.folder('trust'), cluster.cookie),
          socketPath: join(folder, 'controller.sock'),
          healthFile: join(folder, 'health'),
          modulesDir,
          packagesTimeoutMs: 120_000,
          auditFile: '',
          preflight: { timeoutMs: 2_000, memoryMb: 256 },
          streamMaxBytes: 2 ** 30,
        },
        connect: () => natsOf(cluster, inboxPrefix('controller')),
        preflightScript,
        typesDir: ROOT,
        log: recordingLog(),
      }),
    );
  });
});
