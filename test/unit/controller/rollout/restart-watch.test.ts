import { expect, it } from 'vitest';

import { RestartWatch } from '../../../../controller/src/rollout/restart-watch.ts';
import { headOf } from '../../fixtures.ts';

const [old, next] = [headOf('demo', 'a'.repeat(64), 1), headOf('demo', 'b'.repeat(64), 2)];

const container = (lastStart?: string, id = 'c1') => ({
  id,
  name: 'hotcast-node-1',
  state: 'running',
  ...(lastStart === undefined ? {} : { lastStart }),
});

it('a restart counts for a push when the roster sees it after the push', () => {
  const watch = new RestartWatch();
  watch.observe([old], [container('1')]);
  watch.observe([next], [container('1')]);
  expect(watch.hasRestarted(next.push, 'c1')).toBe(false);
  watch.observe([next], [container('2')]);
  expect(watch.hasRestarted(next.push, 'c1')).toBe(true);
});

it('a push that was written since the last look is compared with that look', () => {
  const watch = new RestartWatch();
  watch.observe([old], [container('1')]);
  watch.observe([next], [container('2')]);
  expect(watch.hasRestarted(next.push, 'c1')).toBe(true);
});

it('what happened before the controller started is not known', () => {
  const watch = new RestartWatch();
  watch.observe([next], [container('2')]);
  expect(watch.hasRestarted(next.push, 'c1')).toBe(false);
});

it('a roster that has forgotten, a new container and an unknown one are no restarts', () => {
  const watch = new RestartWatch();
  watch.observe([next], [container('1')]);
  watch.observe([next], [container()]);
  expect(watch.hasRestarted(next.push, 'c1')).toBe(false);
  watch.observe([next], [container('1'), container('5', 'c2')]);
  expect(watch.hasRestarted(next.push, 'c2')).toBe(false);
  expect(watch.hasRestarted(next.push, 'c3')).toBe(false);
  watch.observe([next], [container('1'), container('6', 'c2')]);
  expect(watch.hasRestarted(next.push, 'c2')).toBe(true);
});
