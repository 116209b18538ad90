import { describe, expect, it } from 'vitest';

import { changedModules, modulesToPush, pushedModules } from '../../../../controller/src/commands/changed-modules.ts';
import type { Head, Manifest } from '../../../../protocol/head.ts';
import { headOf } from '../../fixtures.ts';

const ONE = '1'.repeat(64);
const TWO = '2'.repeat(64);

/** The manifest of a revision that was built from these sources. */
const from = (sources: Manifest['sources']): Manifest => ({ exports: [], imports: {}, sources });

const headFrom = (module: string, sources: Manifest['sources'], revision = ONE, sequence = 1): Head => ({
  ...headOf(module, revision, sequence),
  manifest: from(sources),
});

const canaryOf = (head: Head, sources: Manifest['sources']): Head => ({
  ...head,
  canary: { revision: TWO, manifest: from(sources), scope: { type: 'names', names: ['fred'] }, maxErrors: 0 },
});

/** A cluster with these histories, whose folder has these sources. */
function contextOf(now: Record<string, string>, ...histories: Head[][]) {
  const heads = histories.map(history => history.at(-1) ?? expect.fail('no head'));
  const warnings: string[] = [];
  const unreadable = new Map<string, { readonly problem: string; readonly remedy: string }>();
  const context = {
    store: {
      heads: async () => heads,
      history: async (module: string) => histories.find(([first]) => first?.module === module) ?? [],
    },
    sources: {
      changedAmong: (sources: Manifest['sources']) =>
        Object.entries(sources).flatMap(([path, hash]) => (now[path] === hash ? [] : [path])),
    },
    availableModules: () => Object.keys(now).map(path => path.replace('.ts', '')),
    unreadableModules: () => unreadable,
  };
  return {
    heads,
    warnings,
    unreadable,
    changed: async (among?: ReadonlySet<string>) =>
      changedModules(context, await pushedModules(context.store, heads), among),
    select: (modules: 'all' | 'affected') =>
      modulesToPush(context, { modules }, report => void (report.type === 'warning' && warnings.push(report.message))),
  };
}

describe('changedModules', () => {
  it('names each module with those of its sources that have changed', async () => {
    const { changed } = contextOf(
      { 'demo.ts': 'd', 'bar.ts': 'b', 'helper.ts': 'new' },
      [headFrom('demo', { 'demo.ts': 'd', 'helper.ts': 'old' })],
      [headFrom('bar', { 'bar.ts': 'b' })],
    );
    expect(await changed()).toEqual([{ module: 'demo', files: ['helper.ts'] }]);
    expect(await changed(new Set(['demo.ts', 'bar.ts']))).toEqual([]);
  });

  it('leaves out what is removed, and heads that name no sources', async () => {
    const { changed } = contextOf({}, [headOf('gone', null, 1)], [headOf('old', ONE, 1)]);
    expect(await changed()).toEqual([]);
  });

  it('compares with the canary while one is open', async () => {
    const before = headFrom('demo', { 'demo.ts': 'old' });
    const one = contextOf({ 'demo.ts': 'new' }, [
      before,
      canaryOf(headFrom('demo', { 'demo.ts': 'old' }), { 'demo.ts': 'new' }),
    ]);
    expect(await one.changed()).toEqual([]);
    const two = contextOf({ 'demo.ts': 'newer' }, [before, canaryOf(before, { 'demo.ts': 'new' })]);
    expect(await two.changed()).toHaveLength(1);
  });

  it('compares with what was pushed last, also when that was rolled back, by an operator or by itself', async () => {
    const pushed = [headFrom('demo', { 'demo.ts': 'good' }), headFrom('demo', { 'demo.ts': 'bad' }, TWO, 2)];
    const back: Head = { ...headFrom('demo', { 'demo.ts': 'good' }, ONE, 3), revertOf: 'push 2', cause: 'operator' };
    const backAgain: Head = {
      ...headFrom('demo', { 'demo.ts': 'bad' }, TWO, 4),
      revertOf: 'push 3',
      cause: 'operator',
    };
    for (const history of [
      [...pushed, back],
      [...pushed, back, backAgain],
    ]) {
      expect(await contextOf({ 'demo.ts': 'bad' }, history).changed()).toEqual([]);
      expect(await contextOf({ 'demo.ts': 'repaired' }, history).changed()).toHaveLength(1);
    }
  });

  it('compares with what was pushed last, also after bans of it were lifted, it was repaired or quarantined', async () => {
    const pushed = [headFrom('demo', { 'demo.ts': 'good' }), headFrom('demo', { 'demo.ts': 'bad' }, TWO, 2)];
    const back: Head = { ...headFrom('demo', { 'demo.ts': 'good' }, ONE, 3), revertOf: 'push 2', cause: 'operator' };
    const lift: Head = { ...headFrom('demo', { 'demo.ts': 'good' }, ONE, 4), repeats: true };
    const quarantine: Head = { ...lift, sequence: 5, quarantine: true };
    const history = [...pushed, back, lift, quarantine];
    expect(await contextOf({ 'demo.ts': 'bad' }, history).changed()).toEqual([]);
    expect(await contextOf({ 'demo.ts': 'good' }, history).changed()).toHaveLength(1);
  });

  it('compares with the last push also after a removal that was rolled back', async () => {
    const pushed = [headFrom('demo', { 'demo.ts': 'good' }), headFrom('demo', { 'demo.ts': 'bad' }, TWO, 2)];
    const back: Head = { ...headFrom('demo', { 'demo.ts': 'good' }, ONE, 3), revertOf: 'push 2', cause: 'operator' };
    const removed: Head = headOf('demo', null, 4);
    const again: Head = { ...back, sequence: 5, revertOf: 'push 4' };
    expect(await contextOf({ 'demo.ts': 'bad' }, [...pushed, back, removed, again]).changed()).toEqual([]);
  });
});

describe('modulesToPush', () => {
  it('are the modules whose sources have changed, with --affected', async () => {
    const { select, warnings } = contextOf(
      { 'demo.ts': 'new', 'bar.ts': 'b', 'fresh.ts': 'f' },
      [headFrom('demo', { 'demo.ts': 'old' })],
      [headFrom('bar', { 'bar.ts': 'b' })],
    );
    expect([await select('affected'), warnings]).toEqual([['demo'], []]);
    expect(await select('all')).toEqual(['demo', 'bar', 'fresh']);
  });

  it('leave out a module with an open canary, and one that has no source any more, and say so', async () => {
    const { select, warnings } = contextOf(
      { 'demo.ts': 'newer' },
      [canaryOf(headFrom('demo', { 'demo.ts': 'old' }), { 'demo.ts': 'new' })],
      [headFrom('gone', { 'gone.ts': 'g' })],
    );
    expect(await select('affected')).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/^demo has an open canary and is left out; /),
      'gone has no source any more and is left out; take it off the nodes: hotcast remove gone',
    ]);
  });

  it('leave out a module whose source can not be read, and say why, with --affected and with --all', async () => {
    const { select, warnings, unreadable } = contextOf({ 'bar.ts': 'b' }, [headFrom('odd', { 'odd.ts': 'o' })]);
    const remedy = 'make it a file that can be read';
    unreadable
      .set('odd', { problem: 'modules/odd.ts is a socket', remedy })
      .set('new', { problem: 'modules/new.ts is a link to itself', remedy });
    const odd = 'modules/odd.ts is a socket and is left out: make it a file that can be read';
    expect([await select('affected'), warnings.splice(0)]).toEqual([[], [odd]]);
    expect([await select('all'), warnings]).toEqual([['bar'], [odd, expect.stringMatching(/^modules\/new\.ts /)]]);
  });

  it('fails with --all when the folder has no modules', async () => {
    await expect(contextOf({}).select('all')).rejects.toThrow('there are no modules: write modules/demo.ts');
  });
});
