import { expect, it } from 'vitest';

import { warmUp } from '../../../../node-image/src/cluster/warm-up.ts';

it('pushes versions in this process as a node is pushed to, and leaves nothing open', async () => {
  const before = process.getActiveResourcesInfo();
  expect(await warmUp()).toEqual({ status: 'loaded', node: 'warm-up' });
  // What other tests of this process have left can end meanwhile.
  const left = process.getActiveResourcesInfo();
  for (const name of before) if (left.includes(name)) left.splice(left.indexOf(name), 1);
  expect(left).toEqual([]);
});
