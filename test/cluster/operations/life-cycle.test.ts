import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect } from 'vitest';

import { lineRunner } from '../../../controller/src/cli/relay/run-line.ts';
import { serveRelays } from '../../../controller/src/cli/relay/serve.ts';
import { createController } from '../../../controller/src/server/create-controller.ts';
import { createNode } from '../../../node-image/src/create-node.ts';
import { inboxPrefix, nodeInbox } from '../../../protocol/inboxes.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';
import { ROOT, run } from '../../support/shell.ts';
import { recordingLog } from '../../unit/fixtures.ts';

const it = clusterTest({ nodes: 1 });

/** Starts (`make test-operations` has a hundred), and how many of them at the same time: one alone mostly waits. */
const TIMES = Number(process.env['STARTS'] || 20);
const AT_ONCE = 5;

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

/**
 * Starts and disposes of something many times, of which some have different numbers and run at the same time. The first time is
 * for what Node.js itself opens once.
 */
async function startOften(start: (number: number) => Promise<AsyncDisposable>): Promise<void> {
  const startAndDispose = async (_: unknown, number: number): Promise<void> => {
    await (await start(number))[Symbol.asyncDispose]();
  };
  const round = () => Promise.all(Array.from({ length: AT_ONCE }, startAndDispose));
  await round();
  const before = opened();
  for (let times = 0; times < TIMES; times += AT_ONCE) await round();
  await expect.poll(() => leftSince(before)).toEqual([]);
}

async function natsOf(cluster: Cluster, prefix: string): Promise<NatsConnection> {
  return connect({ ...(await cluster.natsOptions()), inboxPrefix: prefix });
}

describe(`${TIMES} starts in one process leave nothing open`, { timeout: 300_000 }, () => {
  it('of a node', async ({ cluster }) => {
    await startOften(async number =>
      createNode({
        nats: await natsOf(cluster, nodeInbox(`wilma-${number}`)),
        identity: { name: `wilma-${number}`, container: `a-hundred-${number}` },
        log: recordingLog(),
        watchdogScript: new URL('data:text/javascript,setInterval(() => {}, 1_000)'),
        cookie: cluster.cookie,
        trustDir: join(cluster.keys.folder('trust'), cluster.cookie),
        healthFile: join(folder, `health-${number}`),
        stateDir: join(folder, `state-${number}`),
        externalDir: join(folder, 'external'),
        httpPort: 0,
        metricsPort: 0,
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
    await startOften(number =>
      createController({
        config: {
          cookie: cluster.cookie,
          natsUrl: 'nats://nats:4222',
          logLevel: 'info',
          keysDir: join(cluster.keys.folder('controller'), cluster.cookie),
          trustDir: join(cluster.keys.folder('trust'), cluster.cookie),
          socketPath: join(folder, `controller-${number}.sock`),
          healthFile: join(folder, `health-${number}`),
          projectDir: '',
          modulesDir,
          packagesTimeoutMs: 120_000,
          auditFile: '',
          preflight: { timeoutMs: 2_000, memoryMb: 256 },
          streamMaxBytes: 2 ** 30,
          streamReplicas: 1,
          webhook: null,
          collector: null,
          moduleMaxBytes: 2 ** 30,
        },
        connect: () => natsOf(cluster, inboxPrefix('controller')),
        preflightScript,
        typesDir: ROOT,
        serveCommandLine: log => serveRelays(join(folder, `controller-${number}.sock`), log),
        runLine: lineRunner(join(folder, `controller-${number}.sock`)),
        log: recordingLog(),
      }),
    );
  });
});
