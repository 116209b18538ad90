import { describe, expect, it } from 'vitest';

import {
  type ChangeReason,
  type HeadChange,
  nextHeads,
  writeHeads,
} from '../../../../controller/src/rollout/write-heads.ts';
import type { StreamStore } from '../../../../controller/src/store/stream-store.ts';
import { type Head, isPush } from '../../../../protocol/head.ts';
import type { KeptOff } from '../../../../protocol/kept-off.ts';
import { headOf } from '../../fixtures.ts';

const [one = '', two = '', three = ''] = ['a', 'b', 'c'].map(digit => digit.repeat(64));

const entryOf = (node: string, revision: string, cause: KeptOff['cause']): KeptOff => ({
  node,
  revision,
  instead: one,
  cause,
  detail: '',
  at: 0,
});

const banned = entryOf('fred', two, 'memory');
const leftOut = entryOf('betty', two, 'operator');

/** The next head of a module, when the last one names `two` and has a ban and a node that is left out. */
async function nextHead(change: Partial<HeadChange>, reason: Partial<ChangeReason> = {}): Promise<Head | undefined> {
  const head = { ...headOf('demo', two, 5), keptOff: [banned, leftOut] };
  const store = { writeHeads: async () => true, highestSequence: () => 0 } as unknown as StreamStore;
  const base = { module: 'demo', revision: two, manifest: null, canary: null, force: false, makeRoom: false };
  const written = await writeHeads(store, [{ ...base, last: { head, position: 1 }, ...change }], {
    author: 'wilma',
    note: 'push',
    ...reason,
  });
  return written.heads[0];
}

const canary = { revision: three, manifest: null, scope: { type: 'names' as const, names: ['bambam'] }, maxErrors: 0 };

describe('the next head', () => {
  it.each<[string, Partial<HeadChange>, Partial<ChangeReason>, string[]]>([
    ['of another revision repeats bans only', { revision: three }, {}, ['fred']],
    ['of a canary keeps a node out of what the others run', { canary }, {}, ['fred', 'betty']],
    ['that closes a canary does too', {}, { cause: 'canary' }, ['fred', 'betty']],
    ['of a push of the same revision includes what was left out', { lifts: [leftOut] }, {}, ['fred']],
    ['of a push by force lifts all', { force: true }, {}, []],
    ['of an operator who goes back to the revision lifts all', {}, { cause: 'operator', lifts: true }, []],
    ['of an operator who goes to another revision lifts no ban', { revision: one }, { lifts: true }, ['fred']],
    ['of a promotion lifts bans, and nothing that was left out', {}, { lifts: 'bans' }, ['betty']],
    ['that lifts one entry keeps the others', { lifts: [banned] }, { amends: true }, ['betty']],
    [
      'that adds one keeps the others',
      { keepOff: [entryOf('bambam', two, 'stalled')] },
      { amends: true },
      ['fred', 'betty', 'bambam'],
    ],
  ])('%s', async (_, change, reason, nodes) => {
    expect((await nextHead(change, reason))?.keptOff.map(({ node }) => node)).toEqual(nodes);
  });

  it.each<[string, Partial<ChangeReason>, boolean]>([
    ['a push', {}, true],
    ['a rollback', { cause: 'operator' }, false],
    ['a lift', { amends: true }, false],
    ['a quarantine', { amends: true, quarantine: true }, false],
    ['a repair', { repeats: true }, false],
  ])('of %s: whether it counts as a push', async (_, reason, counts) => {
    const head = await nextHead({}, reason);
    expect(head !== undefined && isPush(head)).toBe(counts);
  });
});

it.each([
  ['are those that nodes have been told of', 0, true],
  ['are new ones when a node has shown a newer head since', 9, false],
])('the heads of a push %s', async (_, shown, isSame) => {
  let highest = 0;
  const store = { writeHeads: async () => true, highestSequence: () => highest } as unknown as StreamStore;
  const base = { revision: two, manifest: null, canary: null, force: false, makeRoom: false };
  const changes = ['demo', 'other'].map(module => ({ ...base, module, last: { head: null, position: 0 } }));
  const reason = { author: 'wilma', note: 'push' };
  const told = nextHeads(store, changes, reason);
  highest = shown;
  const written = await writeHeads(store, changes, reason, told);
  expect(written.heads.every((head, index) => head === told[index]?.head)).toBe(isSame);
  expect(written.heads.map(({ sequence }) => sequence)).toEqual([shown + 1, shown + 1]);
});
