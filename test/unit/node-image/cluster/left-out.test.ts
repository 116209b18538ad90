import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { leftOutHeads, type LeftOutState, nextLeftOut } from '../../../../node-image/src/cluster/left-out.ts';
import { createReconciler } from '../../../../node-image/src/cluster/reconciler.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import type { Head } from '../../../../protocol/head.ts';
import { bundleOf, headOf, recordingLog } from '../../fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'hotcast-left-out-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NOW = 1_700_000_000_000;
const NOTHING: LeftOutState = { lastRestart: 0, heads: [] };

/** Heads of `a`, `b`, … each pushed after the one before. */
const heads: Head[] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((module, index) => ({
  ...headOf(module, bundleOf(module, '').revision, index + 1),
  at: NOW + index,
}));

/** The restarts of a loop of so many restarts, one a second. */
const loop = (count: number) => ({
  at: Array.from({ length: count }, (_, index) => NOW - 20_000 + 1_000 * index),
  alarmMb: null,
});

const modulesOf = (state: LeftOutState): string => state.heads.map(({ module }) => module).join('');

describe('a node that restarts without end', () => {
  it('leaves out the newest 1, 2, 4, 8, … modules, one step for each restart', () => {
    let state = NOTHING;
    const steps = [2, 3, 4, 5, 6, 7].map(count => modulesOf((state = nextLeftOut(state, heads, loop(count), NOW))));
    expect(steps).toEqual(['', 'i', 'ih', 'ihgf', 'ihgfedcb', 'ihgfedcba']);
  });

  it('leaves out no more after a restart that is no part of the loop', () => {
    const state = nextLeftOut(NOTHING, heads, loop(3), NOW);
    expect(nextLeftOut(state, heads, loop(3), NOW)).toEqual(state);
    expect(nextLeftOut(state, heads, { at: [NOW + 3_600_000], alarmMb: null }, NOW + 3_600_001)).toEqual(state);
  });

  it('leaves out together what was pushed together', () => {
    const set = heads.map(head => (head.module === 'b' || head.module === 'i' ? { ...head, push: 'set' } : head));
    expect(modulesOf(nextLeftOut(NOTHING, set, loop(3), NOW))).toBe('ib');
  });

  it('loads a module again after a new push of it', () => {
    const state = nextLeftOut(NOTHING, heads, loop(3), NOW);
    const pushed = heads.map(head => (head.module === 'i' ? { ...head, sequence: 99 } : head));
    expect(modulesOf(nextLeftOut(state, pushed, loop(3), NOW))).toBe('');
  });
});

describe('a head that is left out', () => {
  const demo = bundleOf('demo', 'exports.version = 1;');
  const other = bundleOf('other', 'exports.version = 2;');
  const stored = [headOf('demo', demo.revision, 5), { ...headOf('other', other.revision, 6), at: NOW + 3_600_000 }];
  const restarts = () => ({ at: [1, 2, 3].map(seconds => Date.now() - 1_000 * seconds).toReversed(), alarmMb: null });

  function start(file: string, all: Head[], leftOutFor: { at: number[]; alarmMb: null }) {
    const log = recordingLog();
    const codeServer = new CodeServer(log);
    const records = {
      heads: async () => all,
      bundle: async (module: string) => (module === 'demo' ? demo : other),
    };
    const leftOut = leftOutHeads(join(folder, file), leftOutFor, log);
    const reconciler = createReconciler('fred', codeServer, records, log, leftOut);
    return { log, codeServer, reconciler };
  }

  it('is refused with the reason and not tried again, and all others run', async () => {
    const { log, codeServer, reconciler } = start('a.json', stored, restarts());
    await reconciler.readHeads();
    // The controller sends a head again when a push was left unfinished.
    await reconciler.apply(stored.slice(1));
    expect(codeServer.current('demo')).not.toBeNull();
    expect(codeServer.current('other')).toBeNull();
    expect(reconciler.refusals()).toEqual({
      other: {
        sequence: 6,
        reason: 'system_limit',
        detail:
          'left out: this node restarted 3 times in 10 minutes and no module was to blame; a new push of the module loads it again',
      },
    });
    expect(log.logged.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^left out other: this node /),
    );
    await reconciler.apply([headOf('other', other.revision, 7)]);
    expect(codeServer.current('other')).not.toBeNull();
  });

  it('stays left out after a later restart for another reason', async () => {
    await start('b.json', stored, restarts()).reconciler.readHeads();
    const { codeServer, reconciler } = start('b.json', stored, { at: [], alarmMb: null });
    await reconciler.readHeads();
    expect(Object.keys(codeServer.describe())).toEqual(['demo']);
  });
});
