import { describe, expect, it } from 'vitest';

import { manifestOf, previousRevision } from '../../../../controller/src/rollout/previous-revision.ts';
import type { Head, RollbackCause } from '../../../../protocol/head.ts';
import { headOf } from '../../fixtures.ts';

const [one = '', two = '', three = '', four = ''] = ['a', 'b', 'c', 'd'].map(digit => digit.repeat(64));

/** A head of the push with its own sequence; `revertOf` is the sequence of the push that it rolls back. */
function head(
  revision: string | null,
  sequence: number,
  revertOf: number | null = null,
  cause: RollbackCause = 'refused',
): Head {
  const reverts = revertOf === null ? {} : { revertOf: `push ${revertOf}`, cause };
  return { ...headOf('demo', revision, sequence), ...reverts };
}

function canary(revision: string | null, trial: string, sequence: number): Head {
  const scope = { type: 'names' as const, names: ['fred'] };
  return { ...headOf('demo', revision, sequence), canary: { revision: trial, manifest: null, scope, maxErrors: 0 } };
}

function newestOf(history: readonly Head[]): Head {
  const newest = history.at(-1);
  if (newest === undefined) throw new TypeError('there is no head');
  return newest;
}

describe('previousRevision', () => {
  it.each<[string, Head[], string | null]>([
    ['the one before', [head(one, 1), head(two, 2)], one],
    ['none, when it is the first', [head(one, 1)], null],
    ['the same one, when it was pushed twice', [head(one, 1), head(two, 2), head(two, 3)], two],
    ['the last one that was not refused', [head(one, 1), head(two, 2), head(one, 3, 2), head(three, 4)], one],
    ['what a rollback went back to, when nothing older is kept', [head(one, 3, 2), head(three, 4)], one],
    ['what an operator went back to', [head(one, 1), head(two, 2), head(one, 3, 2, 'operator'), head(three, 4)], one],
    [
      'what an operator went back to, past revisions that stand',
      [head(one, 1), head(two, 2), head(three, 3), head(one, 4, 3, 'operator'), head(four, 5)],
      one,
    ],
    ['none, when the module was removed before', [head(one, 1), head(null, 2), head(two, 3)], null],
    ['the revision of the other nodes, from a canary', [head(one, 1), head(two, 2), canary(two, three, 3)], two],
    ['none, from a canary of a module that no other node has', [canary(null, one, 1)], null],
    ['never a canary, from a head that replaced one', [head(one, 1), canary(one, two, 2), head(three, 3)], one],
    [
      'one that was refused by a controller of before version 0.2, skipped',
      [head(one, 1), head(two, 2), { ...head(one, 3, 2), cause: null }, head(three, 4)],
      one,
    ],
  ])('is %s', (_, history, expected) => {
    expect(previousRevision(newestOf(history), history)).toBe(expected);
  });

  it.each<[string, Head[], string | null]>([
    ['another one, when the same was pushed twice', [head(one, 1), head(two, 2), head(two, 3)], one],
    ['none, when all were refused', [head(one, 1), head(two, 2), head(one, 3, 2)], null],
    ['not one that was refused the second time', [head(one, 1), head(two, 2), head(three, 3), head(two, 4, 3)], one],
    ['one that stalled and was forced since', [head(two, 1), head(one, 2, 1), head(two, 3), head(three, 4)], two],
    ['the one between, when an old one was pushed again', [head(one, 1), head(two, 2), head(one, 3)], two],
    ['the one that an operator left', [head(one, 1), head(two, 2), head(one, 3, 2, 'operator')], two],
    [
      'an older one, when the other nodes of a canary are to leave theirs',
      [head(one, 1), head(two, 2), canary(two, three, 3)],
      one,
    ],
  ])('that is to be left, is %s', (_, history, expected) => {
    const newest = newestOf(history);
    expect(previousRevision(newest, history, [newest.revision])).toBe(expected);
  });

  it('comes to an end when each revision stalls', () => {
    const history = [head(one, 1), head(two, 2), head(three, 3)];
    const revisions: (string | null)[] = [];
    for (let newest = newestOf(history); newest.revision !== null; newest = newestOf(history)) {
      const previous = previousRevision(newest, history, [newest.revision]);
      revisions.push(previous);
      history.push(head(previous, newest.sequence + 1, newest.sequence, 'watchdog'));
    }
    expect(revisions).toEqual([two, one, null]);
  });
});

describe('manifestOf', () => {
  const manifest = (name: string) => ({ exports: [name], imports: {}, sources: {} });

  it('is that of the newest head which names the revision, as its own or as a canary', () => {
    const named = { ...head(one, 1), manifest: manifest('one') };
    const tried = canary(one, two, 2);
    const history = [named, { ...tried, canary: tried.canary && { ...tried.canary, manifest: manifest('two') } }];
    expect(manifestOf(one, history)).toEqual(manifest('one'));
    expect(manifestOf(two, history)).toEqual(manifest('two'));
    expect(manifestOf(three, history)).toBeNull();
    expect(manifestOf(null, history)).toBeNull();
  });
});
