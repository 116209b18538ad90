import { describe, expect, it } from 'vitest';

import { checkGroup } from '../../../../node-image/src/cluster/node-name.ts';

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
