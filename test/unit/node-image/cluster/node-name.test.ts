import { describe, expect, it } from 'vitest';

import { checkGroup, resolveNodeName } from '../../../../node-image/src/cluster/node-name.ts';

describe('the group that a node is meant to be in', () => {
  it.each([
    ['worker-1', ''],
    ['worker-1', 'worker'],
    ['worker-1-3f2a9c', 'worker'],
    ['fred', 'web'],
    ['node-31', ''],
  ])('%s can be in the group %j', (node, group) => {
    expect(() => checkGroup(node, group)).not.toThrow();
  });

  it('stops a node whose service has the name of another group', () => {
    expect(() => checkGroup('frontend-2', 'web')).toThrow(
      'HOTCAST_GROUP is web, but this node is frontend-2, of the service frontend: give the service the name of its group',
    );
  });
});

describe('the name of a node of a swarm', () => {
  const id = 'k2jqs9z8b7c6d5e4f3g2h1i0x';

  it.each([
    [`hotcast_node.3.${id}`, 'betty'],
    [`hotcast_worker.1.${id}`, 'worker-1'],
    [`other_node.1.${id}`, `other-node-1-${id}`],
  ])('follows from that of its task, %s, without a look at the DNS', async (taskName, name) => {
    expect(await resolveNodeName('3f2a9c000000', { project: 'hotcast', replicaOffset: 0, taskName })).toBe(name);
  });
});
