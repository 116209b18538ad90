import { existsSync } from 'node:fs';

import { defineConfig } from 'vitest/config';

import { TotalsReporter } from './test/support/totals-reporter.ts';

// What setup/base-images.sh decided, also when make did not start us.
if (existsSync('.cache/images.env')) process.loadEnvFile('.cache/images.env');

export default defineConfig({
  test: {
    reporters: ['default', new TotalsReporter()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: ['test/unit/bench/**'],
          sequence: { groupOrder: 0 },
          // These share nothing, so one process can run them all.
          pool: 'threads',
          isolate: false,
          // A busy machine takes its time over a bundle of many megabytes.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'bench',
          include: ['test/unit/bench/**/*.test.ts'],
          sequence: { groupOrder: 0 },
          // Each file in a process of its own: the library that plots gives every Set a toJSON.
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          globalSetup: 'test/support/global-setup.ts',
          sequence: { groupOrder: 1 },
          // Most of the time of a file is waiting; more than two at once would wait for the machine.
          maxWorkers: 2,
          testTimeout: 90_000,
          hookTimeout: 90_000,
        },
      },
    ],
  },
});
