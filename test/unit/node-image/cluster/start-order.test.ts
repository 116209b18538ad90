import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Bundle } from '../../../../protocol/bundle.ts';
import type { Head } from '../../../../protocol/head.ts';
import { bundleOf, headOf, type recordingLog } from '../../fixtures.ts';
import { nodeBeside } from './node-beside.ts';

// No jitter: a node that is behind reads at once.
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => void vi.restoreAllMocks());

describe('a node that starts loads what is imported before what imports it', () => {
  /** A module whose top level calls these modules. */
  const calling = (module: string, ...imported: readonly string[]): Bundle =>
    bundleOf(module, `exports.version = 1; exports.f = () => 1; ${imported.map(callOf).join(' ')}`);
  const callOf = (module: string): string => `require("hot:${module}").f();`;
  /** Heads in this order, each of the push that it is given with. */
  const headsOf = (...bundles: readonly (readonly [Bundle, string])[]): Head[] =>
    bundles.map(([{ module, revision }, push], index) => ({ ...headOf(module, revision, index + 1), push }));
  const refusalsIn = (log: ReturnType<typeof recordingLog>) => log.logged.filter(({ level }) => level === 'error');

  it('although that was pushed later', async () => {
    const [top, core] = [calling('top', 'core'), calling('core')];
    const { reconciler, running, log } = nodeBeside(headsOf([top, 'one'], [core, 'two']), [top, core]);
    await reconciler.readHeads();
    expect([running('top'), running('core')]).toEqual([1, 1]);
    expect(refusalsIn(log)).toEqual([]);
  });

  it('also in a set, whose order is not that of its imports', async () => {
    const [top, core, other] = [calling('top', 'core', 'other'), calling('core'), calling('other')];
    const heads = headsOf([top, 'one'], [core, 'one'], [other, 'two']);
    const { reconciler, running, log } = nodeBeside(heads, [top, core, other]);
    await reconciler.readHeads();
    expect(['top', 'core', 'other'].map(running)).toEqual([1, 1, 1]);
    expect(refusalsIn(log)).toEqual([]);
  });

  it('although a set and another push need each other', async () => {
    const [top, core, other] = [calling('top', 'other'), calling('core'), calling('other', 'core')];
    const heads = headsOf([top, 'one'], [core, 'one'], [other, 'two']);
    const { reconciler, running, log } = nodeBeside(heads, [top, core, other]);
    await reconciler.readHeads();
    expect(['top', 'core', 'other'].map(running)).toEqual([1, 1, 1]);
    expect(refusalsIn(log)).toEqual([]);
  });

  it('also in a circle, in which each push stands for itself', async () => {
    const later = (module: string): string => `exports.later = () => { ${callOf(module)} };`;
    const even = bundleOf('even', `exports.version = 1; exports.f = () => 1; ${later('odd')}`);
    const odd = bundleOf('odd', `exports.version = 1; ${callOf('even')} ${later('bad')}`);
    const bad = bundleOf('bad', `${later('odd')} throw new Error('no');`);
    const circle = bundleOf('even', `exports.version = 1; exports.f = () => 1; ${later('odd')} ${later('bad')}`);
    for (const bundles of [
      [odd, even, bad],
      [bad, odd, circle],
    ]) {
      const heads = headsOf(...bundles.map(bundle => [bundle, bundle.module] as const));
      const { reconciler, running } = nodeBeside(heads, bundles);
      await reconciler.readHeads();
      await Promise.resolve();
      expect(['odd', 'even', 'bad'].map(running)).toEqual([1, 1, undefined]);
      expect(Object.keys(reconciler.refusals())).toEqual(['bad']);
      reconciler[Symbol.dispose]();
    }
  });

  it('of thirty modules that import one, which was pushed last', async () => {
    const users = Array.from({ length: 30 }, (_, index) => calling(`user-${index}`, 'deps'));
    const bundles = [...users, calling('deps')];
    const heads = headsOf(...bundles.map(bundle => [bundle, bundle.module] as const));
    const { reconciler, codeServer, log } = nodeBeside(heads, bundles);
    await reconciler.readHeads();
    expect(Object.keys(codeServer.describe())).toHaveLength(31);
    expect(refusalsIn(log)).toEqual([]);
  });
});
