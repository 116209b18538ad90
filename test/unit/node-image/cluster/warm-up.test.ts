import { expect, it } from 'vitest';

import { warmUp } from '../../../../node-image/src/cluster/warm-up.ts';

it('pushes versions in this process as a node is pushed to, and leaves nothing open', async () => {
  const before = process.getActiveResourcesInfo();
  expect(await warmUp()).toEqual({ status: 'loaded', node: 'warm-up' });
  expect(process.getActiveResourcesInfo()).toEqual(before);
});
