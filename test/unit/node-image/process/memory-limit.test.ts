import { expect, it } from 'vitest';

import { memoryLimits } from '../../../../node-image/src/process/memory-limit.ts';

const MB = 2 ** 20;
const GB = 1024 * MB;

it.each([
  ['the setting, in a container that is large enough', 512, GB, { liveMb: 512, residentMb: 921.6 }],
  ['three quarters of a small container', 512, 256 * MB, { liveMb: 192, residentMb: 230.4 }],
  ['the setting, in a container without a limit', 512, 2 ** 64, { liveMb: 512, residentMb: 1152 }],
  ['the setting, where no limit is known', 512, 0, { liveMb: 512, residentMb: 1152 }],
  ["three quarters of V8's heap limit", 8_192, 64 * GB, { liveMb: 3_072, residentMb: 6_272 }],
])('the limit is %s', (_, configuredMb, containerBytes, limits) => {
  expect(memoryLimits(configuredMb, containerBytes, 4 * GB)).toMatchObject(limits);
});

it('says which settings do not fit, and what to do', () => {
  expect(memoryLimits(512, GB, 4 * GB).note).toBeNull();
  expect(memoryLimits(512, 256 * MB, 4 * GB).note).toBe(
    'MEMORY_LIMIT_MB is 512, but the container has only 256 MB (NODE_MEMORY), so that the limit of this node is 192 MB: ' +
      'give it 683 MB, or lower MEMORY_LIMIT_MB',
  );
  expect(memoryLimits(8_192, 0, 4 * GB).note).toContain("V8's heap can have only 4096 MB (--max-old-space-size)");
});
