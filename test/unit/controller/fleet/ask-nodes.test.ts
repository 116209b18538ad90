import { describe, expect, it } from 'vitest';

import { silentAmong } from '../../../../controller/src/fleet/ask-nodes.ts';
import { NOBODY } from '../../../../controller/src/fleet/departures.ts';

const askedOf = (expected: readonly string[], left: readonly string[]) => ({
  expected: new Set(expected),
  departed: { ...NOBODY, has: (node: string) => left.includes(node) },
});

describe('silentAmong', () => {
  it('has the nodes that did not answer, without those that have left', () => {
    const asked = askedOf(['fred', 'betty', 'wilma'], ['betty']);
    expect(silentAmong(asked, new Set(['fred']))).toEqual([{ node: 'wilma', status: 'silent' }]);
    expect(silentAmong(asked, new Set(['fred', 'wilma']))).toEqual([]);
  });

  it('has a node that has left when nobody else was asked, so that the command does not seem done', () => {
    const left = { node: 'betty', status: 'silent', detail: 'it has left' };
    expect(silentAmong(askedOf(['betty'], ['betty']), new Set())).toEqual([left]);
    expect(silentAmong(askedOf(['betty'], ['betty']), new Set(['betty']))).toEqual([]);
  });
});
