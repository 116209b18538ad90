import { describe, expect, it } from 'vitest';

import { bannedFrom, leftOutOf, nodesWithout } from '../../../../controller/src/commands/kept-off/without-option.ts';
import type { Report } from '../../../../controller/src/api/report.ts';
import type { KeptOff } from '../../../../protocol/kept-off.ts';
import { headOf } from '../../fixtures.ts';

const [stable = '', next = ''] = ['a', 'b'].map(digit => digit.repeat(64));
const names = new Set(['fred', 'betty']);

describe('a push without a node', () => {
  it('goes to the others, and says when there is no such node', () => {
    const reports: Report[] = [];
    expect(nodesWithout(names, ['fred'], each => reports.push(each))).toEqual(new Set(['betty']));
    expect(reports).toEqual([]);
    expect(nodesWithout(names, ['ferd'], each => reports.push(each))).toEqual(names);
    expect(reports).toMatchObject([{ type: 'warning', message: expect.stringContaining('no node ferd') as string }]);
    expect(() => nodesWithout(names, ['fred', 'betty'], () => undefined)).toThrow('no node to push to');
  });

  it('has the node run on with what it should run now', () => {
    const pushed = { module: 'demo', revision: next, last: { head: headOf('demo', stable, 1), position: 1 } };
    expect(leftOutOf(pushed, ['fred'], 'wilma')).toMatchObject([
      { node: 'fred', revision: next, instead: stable, cause: 'operator', detail: 'wilma pushed it without fred' },
    ]);
    expect(leftOutOf({ ...pushed, last: { head: null, position: 0 } }, ['fred'], 'wilma')).toMatchObject([
      { instead: null },
    ]);
  });
});

describe('a push of a banned revision', () => {
  const entry: KeptOff = { node: 'fred', revision: next, instead: stable, cause: 'memory', detail: 'it grew', at: 0 };
  const pushedOver = (keptOff: readonly KeptOff[]) => [
    {
      module: 'demo',
      revision: next,
      last: { head: { ...headOf('demo', stable, 1), keptOff: [...keptOff] }, position: 1 },
    },
  ];

  it.each<[string, readonly KeptOff[], number]>([
    ['is refused by the node that it brought down, though that has forgotten it', [entry], 1],
    ['goes through when another revision is banned', [{ ...entry, revision: stable }], 0],
    ['goes through when the node is left out, or gone', [{ ...entry, node: 'wilma' }], 0],
    ['goes through when an operator had left the node out', [{ ...entry, cause: 'operator' }], 0],
  ])('%s', (_, keptOff, refusals) => {
    const refused = [{ node: 'fred', status: 'refused', reason: 'banned', detail: 'it grew' }];
    expect(bannedFrom(pushedOver(keptOff), names)).toEqual(refusals === 0 ? [] : refused);
  });
});
