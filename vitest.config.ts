import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

import { LongestFirst } from './test/support/longest-first.ts';
import { TotalsReporter } from './test/support/totals-reporter.ts';

// The base images that setup/offline/base-images.sh chose; make exports them, `npx vitest` does not.
if (existsSync('.cache/images.env')) process.loadEnvFile('.cache/images.env');

/** The workers of tests without containers. On two processors, vitest would have one. */
const ON_THE_HOST = Math.max(2, availableParallelism() - 1);

/** It is a part of `make test` too, with fewer starts. */
const LIFE_CYCLE = 'test/cluster/operations/life-cycle.test.ts';

/** How long `expect.poll` asks, by default (milliseconds): on a busy machine, a process can take seconds to start. */
const POLLING = { poll: { timeout: 30_000 } };

/** Tests on containers. */
const onContainers = (name: string, files: readonly string[], groupOrder: number, env = {}) => ({
  test: {
    name,
    include: [...files],
    env,
    globalSetup: 'test/support/global-setup.ts',
    sequence: { groupOrder },
    // A file mostly waits for containers. With more than two at once, it would wait for the processors.
    maxWorkers: 2,
    // The files share no state. To import the libraries again for each file takes two seconds.
    isolate: false,
    // The first test of a file waits for its cluster too.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: POLLING,
  },
});

export default defineConfig({
  test: {
    reporters: ['default', new TotalsReporter()],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/simulation/**/*.test.ts'],
          sequence: { groupOrder: 0 },
          // The files share no state, so one process can run them all.
          pool: 'threads',
          isolate: false,
          maxWorkers: ON_THE_HOST,
          // On a busy machine, a bundle of many megabytes takes long.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: POLLING,
        },
      },
      {
        test: {
          name: 'bench',
          include: ['bench/test/**/*.test.ts'],
          sequence: { groupOrder: 0 },
          // Each file in a process of its own: the library that plots gives every Set a toJSON.
          maxWorkers: ON_THE_HOST,
          testTimeout: 30_000,
          expect: POLLING,
        },
      },
      {
        test: {
          name: 'console',
          include: ['test/console/*.test.ts'],
          sequence: { groupOrder: 5 },
          // One of them measures how long a browser takes to draw.
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: POLLING,
        },
      },
      onContainers('cluster', ['test/cluster/{modules,operations,rollout}/**/*.test.ts'], 1),
      onContainers('faults', ['test/cluster/{faults,security}/**/*.test.ts'], 2),
      onContainers('packages', ['test/packages/*.test.ts'], 3),
      onContainers('operations', ['test/operations/**/*.test.ts', LIFE_CYCLE], 4, { STARTS: '100' }),
      {
        test: {
          name: 'swarm',
          include: ['test/swarm/*.test.ts'],
          sequence: { groupOrder: 6 },
          // Each simulates machines, in one place.
          maxWorkers: 1,
          testTimeout: 1_800_000,
          expect: POLLING,
        },
      },
      onContainers('published', ['test/published/*.test.ts'], 5),
    ],
  },
});
