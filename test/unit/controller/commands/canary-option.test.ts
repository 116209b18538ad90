import { describe, expect, it } from 'vitest';

import { parseScope } from '../../../../controller/src/commands/canary-option.ts';
import { UsageError } from '../../../../protocol/errors.ts';
import { inScope } from '../../../../protocol/canary-scope.ts';

const fleet = ['fred', 'bambam', 'betty', 'wilma'];

describe('parseScope', () => {
  it.each([1, 2, 4])('takes as many of the nodes as are asked for: %i', count => {
    const scope = parseScope(String(count), fleet);
    expect(fleet.filter(node => inScope(scope, node))).toHaveLength(count);
  });

  it('takes the same node for 1 in whatever order they are', () => {
    expect(parseScope('1', fleet)).toEqual(parseScope('1', fleet.toReversed()));
  });

  it('takes the nodes of a smaller number again for a larger one', () => {
    const [one, two] = ['1', '2'].map(text => fleet.filter(node => inScope(parseScope(text, fleet), node)));
    expect(two).toEqual(expect.arrayContaining(one ?? []));
  });

  it('takes names', () => {
    expect(parseScope('fred,betty', fleet)).toEqual({ type: 'names', names: ['fred', 'betty'] });
  });

  it('takes a share, with at least one node in it', () => {
    const scope = parseScope('1%', fleet);
    expect(scope.type).toBe('share');
    expect(fleet.filter(node => inScope(scope, node)).length).toBeGreaterThanOrEqual(1);
    expect(fleet.every(node => inScope(parseScope('100%', fleet), node))).toBe(true);
  });

  it('takes a share or a number of the nodes of a group', () => {
    const both = { names: ['web', 'worker'], first: true };
    const named = (group: string) => ({ names: [group], first: group === 'web' });
    const nodes = [...fleet, 'worker-1', 'worker-2'];
    const of = (text: string) => nodes.filter(node => inScope(parseScope(text, nodes, both, named), node));
    expect(of('100% of worker')).toEqual(['worker-1', 'worker-2']);
    expect(of('100% of web')).toEqual(fleet);
    expect(of('1 of worker')).toHaveLength(1);
    expect(of('100%')).toEqual(nodes);
    expect(() => of('3 of worker')).toThrow('a canary on 3 nodes of worker needs between 1 and the 2 that there are');
    expect(() => of('10% of api')).toThrow('a canary on 10% of api has no node');
  });

  it.each([
    ['0', 'a canary on 0 nodes needs between 1 and the 4 that there are'],
    ['5', 'a canary on 5 nodes needs between 1 and the 4 that there are'],
    ['0%', "a canary's share is 1% to 100%, not 0%"],
    ['101%', "a canary's share is 1% to 100%, not 101%"],
    ['fred,dino', '"dino" is no node, number or share for a canary; nodes here: fred, bambam, betty, wilma'],
    ['fred,', '"" is no node, number or share for a canary; nodes here: fred, bambam, betty, wilma'],
    ['half', '"half" is no node, number or share for a canary; nodes here: fred, bambam, betty, wilma'],
    ['1.5%', '"1.5%" is no node, number or share for a canary; nodes here: fred, bambam, betty, wilma'],
  ])('refuses %j, and says why', (text, message) => {
    expect(() => parseScope(text, fleet)).toThrow(new UsageError(message));
  });
});
