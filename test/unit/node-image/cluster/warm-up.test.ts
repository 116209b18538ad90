import { expect, it } from 'vitest';

import { warmUp } from '../../../../node-image/src/cluster/warm-up.ts';

it('pushes three versions in this process, and leaves nothing open', async () => {
  const before = process.getActiveResourcesInfo();
  expect(await warmUp()).toEqual({ status: 'ok' });
  expect(process.getActiveResourcesInfo()).toEqual(before);
});
