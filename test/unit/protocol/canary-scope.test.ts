import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { replicaName } from '../../../protocol/names.ts';
import { inScope, canaryRank, type CanaryScope, shareScope } from '../../../protocol/canary-scope.ts';
import { nodeNames } from '../fixtures.ts';

const shares = fc.double({ min: 0.001, max: 1, noNaN: true });
const fleets = fc.uniqueArray(nodeNames, { minLength: 1, maxLength: 20 });

describe('canaryRank', () => {
  it('is a constant between 0 and 1', () => {
    fc.assert(
      fc.property(nodeNames, node => {
        expect(canaryRank(node)).toBeGreaterThanOrEqual(0);
        expect(canaryRank(node)).toBeLessThanOrEqual(1);
        expect(canaryRank(node)).toBe(canaryRank(node));
      }),
    );
  });

  it('is the same in every release', () => {
    expect(canaryRank('fred')).toBeCloseTo(0.815_670_186, 9);
  });

  it('spreads names evenly', () => {
    const inside = Array.from({ length: 10_000 }, (_, index) => replicaName(index + 1)).filter(node =>
      inScope({ type: 'share', upTo: 0.1 }, node),
    );
    expect(inside.length).toBeGreaterThan(900);
    expect(inside.length).toBeLessThan(1_100);
  });
});

describe('shareScope', () => {
  it('has at least one of the nodes', () => {
    fc.assert(
      fc.property(shares, fleets, (share, fleet) => {
        const scope = shareScope(share, fleet);
        expect(fleet.some(node => inScope(scope, node))).toBe(true);
      }),
    );
  });

  it('has every node at 100%', () => {
    fc.assert(
      fc.property(fleets, nodeNames, (fleet, newcomer) => {
        const scope = shareScope(1, fleet);
        expect([...fleet, newcomer].every(node => inScope(scope, node))).toBe(true);
      }),
    );
  });

  it('keeps its nodes when the share grows', () => {
    fc.assert(
      fc.property(shares, shares, fleets, (a, b, fleet) => {
        const small = fleet.filter(node => inScope(shareScope(Math.min(a, b), fleet), node));
        const large = fleet.filter(node => inScope(shareScope(Math.max(a, b), fleet), node));
        expect(large).toEqual(expect.arrayContaining(small));
      }),
    );
  });
});

describe('inScope', () => {
  it('has exactly the listed names', () => {
    const scope: CanaryScope = { type: 'names', names: ['fred', 'betty'] };
    expect(['fred', 'bambam', 'betty', 'fre'].filter(node => inScope(scope, node))).toEqual(['fred', 'betty']);
  });
});
