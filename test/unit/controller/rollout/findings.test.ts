import { describe, expect, it } from 'vitest';

import { accusedHeads, describeFindings } from '../../../../controller/src/rollout/findings.ts';
import type { Head } from '../../../../protocol/head.ts';
import type { HeadResult } from '../../../../protocol/history/head-result.ts';
import type { KeptOff } from '../../../../protocol/kept-off.ts';
import type { NodeDescription } from '../../../../protocol/messages.ts';
import { descriptionOf, headOf } from '../../fixtures.ts';

const [one = '', two = '', three = ''] = ['a', 'b', 'c'].map(digit => digit.repeat(64));

const ids = { fred: 'aaaaaa000000', bambam: 'bbbbbb000000', betty: 'cccccc000000' };
const containers = Object.values(ids).map((id, index) => ({
  id,
  name: `hotcast-node-${index + 1}`,
  state: 'running',
}));

const head = headOf('demo', two, 5);
const result: HeadResult = { module: 'demo', sequence: 5, verdict: 'committed', loaded: 3, refused: 0, silent: 0 };

/** What a node says of a head of demo. */
const refusing = (
  node: string,
  container: string,
  { sequence = 5, reason = 'banned', cause = 'stalled' }: Partial<NodeDescription['refusals'][string]> = {},
): NodeDescription => ({
  ...descriptionOf(node, {}, container),
  refusals: { demo: { sequence, reason, cause, detail: `it stalled on ${node}` } },
});

const keptOff = (node: string, cause: KeptOff['cause'] = 'stalled'): KeptOff => ({
  node,
  revision: two,
  instead: one,
  cause,
  detail: '',
  at: 0,
});

interface Fleet {
  readonly heads?: readonly Head[];
  readonly results?: readonly HeadResult[];
  readonly nodes?: number;
  readonly restarted?: readonly string[];
}

function accused(present: readonly NodeDescription[], { heads = [head], results = [result], ...fleet }: Fleet = {}) {
  const { nodes = 3, restarted = [] } = fleet;
  return accusedHeads(heads, results, present, containers.slice(0, nodes), (_, id) => restarted.includes(id));
}

describe('a head is accused', () => {
  it('by the nodes that say that it brought them down, in their order', () => {
    const present = [refusing('betty', ids.betty, { cause: 'memory' }), refusing('fred', ids.fred)];
    expect(accused(present)).toEqual([
      {
        head,
        findings: [
          { node: 'fred', cause: 'stalled', detail: 'it stalled on fred' },
          { node: 'betty', cause: 'memory', detail: 'it stalled on betty' },
        ],
        isConfirmed: true,
      },
    ]);
  });

  const canary = { revision: three, manifest: null, scope: { type: 'names' as const, names: ['fred'] }, maxErrors: 0 };
  it.each<[string, NodeDescription, Fleet]>([
    ['no node refuses it', descriptionOf('fred', {}, ids.fred), {}],
    ['another head is refused', refusing('fred', ids.fred, { sequence: 4 }), {}],
    ['it is refused for another reason', refusing('fred', ids.fred, { reason: 'on_load_failure' }), {}],
    ['its push has no result yet', refusing('fred', ids.fred), { results: [] }],
    ['a canary is open', refusing('fred', ids.fred), { heads: [{ ...head, canary }] }],
    [
      'the node is kept off it already',
      refusing('fred', ids.fred),
      { heads: [{ ...head, keptOff: [keptOff('fred')] }] },
    ],
    ['the module was removed', refusing('fred', ids.fred), { heads: [headOf('demo', null, 5)] }],
    ['the roster does not know the container', refusing('wilma', 'elsewhere'), {}],
    ["the container is another node's", refusing('fred', ids.betty), {}],
  ])('by nobody when %s', (_, description, fleet) => {
    expect(accused([description], fleet)).toEqual([]);
  });
});

describe('an accusation', () => {
  const isConfirmed = (present: readonly NodeDescription[], fleet: Fleet): boolean | undefined =>
    accused(present, fleet)[0]?.isConfirmed;
  const fred = refusing('fred', ids.fred);
  const bambam = refusing('bambam', ids.bambam);

  it.each<[string, readonly NodeDescription[], Fleet, boolean]>([
    ['of one node of three', [fred], {}, false],
    ['of one node of three whose restart the roster has seen', [fred], { restarted: [ids.fred] }, false],
    ['of one node under its two names', [fred, refusing('fred-aaaaaa', ids.fred)], {}, false],
    ['of two nodes', [fred, bambam], {}, true],
    ['of one node after another one', [bambam], { heads: [{ ...head, keptOff: [keptOff('fred')] }] }, true],
    [
      'of one node after another one was left out',
      [bambam],
      { heads: [{ ...head, keptOff: [keptOff('fred', 'operator')] }] },
      false,
    ],
    [
      'of one node, and its other name before',
      [refusing('fred-aaaaaa', ids.fred)],
      { heads: [{ ...head, keptOff: [keptOff('fred')] }] },
      false,
    ],
    ['of one node of two', [fred], { nodes: 2 }, false],
    ['of one node of two whose restart the roster has seen', [fred], { nodes: 2, restarted: [ids.fred] }, true],
    ['of one node of two, when the other one has restarted', [fred], { nodes: 2, restarted: [ids.bambam] }, false],
    ['of the only node, whose restart the roster has seen', [fred], { nodes: 1, restarted: [ids.fred] }, true],
  ])('%s is confirmed or not', (_, present, fleet, expected) => {
    expect(isConfirmed(present, fleet)).toBe(expected);
  });
});

it('the cause is said of each node', () => {
  const finding = (node: string, cause: 'stalled' | 'memory') => ({ node, cause, detail: '' });
  expect(describeFindings([finding('fred', 'memory')])).toBe('memory on fred');
  const all = [finding('fred', 'memory'), finding('betty', 'stalled'), finding('bambam', 'memory')];
  expect(describeFindings(all)).toBe('stalled on betty; memory on fred, bambam');
});
