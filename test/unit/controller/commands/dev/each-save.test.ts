import { beforeEach, describe, expect, it } from 'vitest';

import type { Report } from '../../../../../controller/src/api/report.ts';
import type { Build } from '../../../../../controller/src/build/build.ts';
import type { OnSave } from '../../../../../controller/src/build/sources/watch-folder.ts';
import type { CommandContext } from '../../../../../controller/src/commands/context.ts';
import { dev } from '../../../../../controller/src/commands/dev/dev.ts';
import { NOBODY } from '../../../../../controller/src/fleet/departures.ts';
import { latch } from '../../../fixtures.ts';

let foreign: { readonly node: string; readonly protocol: number }[];
let save: OnSave;
let build: Build;
let told: Report[];
let holding: string;

const context = {
  nats: { isClosed: () => false, publish: () => undefined },
  subjects: { progress: 'hotcast.dino.progress' },
  store: {
    heads: async () => [],
    history: async () => [],
    lastHead: async () => ({ head: null, position: 0 }),
    storage: async () => null,
    checkFormat: () => undefined,
  },
  membership: {
    foreign: () => foreign,
    expected: async () => ({ members: [], awaited: new Set(), departed: NOBODY, warning: null }),
  },
  sources: { changedAmong: () => [] },
  availableModules: () => ['demo'],
  unreadableModules: () => new Map(),
  build: (...args: Parameters<Build>) => build(...args),
  warm: () => undefined,
  audit: { write: async () => undefined },
  watch: async (onSave: OnSave) => {
    save = onSave;
    return { [Symbol.asyncDispose]: async () => undefined };
  },
} as unknown as CommandContext;

/** Runs `dev` until it is disposed of. */
async function watching(): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const command = { type: 'dev', author: 'wilma', strict: true, cookie: null, timeoutMs: 10 } as const;
  const report = (message: Report): void => void told.push(message);
  const ended = dev(context, command, report, stop.signal, line => (holding = line)).catch(() => undefined);
  await expect.poll(() => told).toHaveLength(1);
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('the test is over'));
      await ended;
    },
  };
}

beforeEach(() => {
  [foreign, told, holding] = [[], [], ''];
  build = async () => {
    throw new Error('it was built');
  };
});

describe('each save', () => {
  it('waits for nodes of another release, also of those that came after the start', async () => {
    await using _dev = await watching();
    foreign = [{ node: 'betty', protocol: 99 }];
    save('demo.ts');
    await expect.poll(() => told.at(-1)).toMatchObject({ problem: expect.stringContaining('betty (protocol 99)') });
    foreign = [];
    await expect.poll(() => told.at(-1)).toMatchObject({ problem: 'it was built' });
  });

  it('says what holds when it is cut off, and how to go on', async () => {
    const [reached, hold] = [latch(), latch()];
    build = async () => {
      reached.open();
      await hold.opened;
      throw new Error('it was built');
    };
    await using _dev = await watching();
    expect(holding).toContain('nothing is watched any more');
    save('demo.ts');
    await reached.opened;
    await expect
      .poll(() => holding)
      .toBe('the last save: nothing was changed on any node; to go on, run the command again');
    hold.open();
    await expect.poll(() => told.at(-1)).toMatchObject({ problem: 'it was built' });
    expect(holding).toContain('nothing is watched any more');
  });
});
