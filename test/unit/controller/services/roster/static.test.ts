import { expect, it } from 'vitest';

import { answerOf, holderOf } from '../../../../../controller/src/services/roster/roster.ts';
import { staticRoster } from '../../../../../controller/src/services/roster/static.ts';

it('a static roster expects the nodes that it is given, and knows no container and no address', async () => {
  const roster = staticRoster(['fred', 'worker-1']);
  expect(answerOf(await roster.members())).toEqual({
    status: 'containers',
    containers: [
      { id: '', name: 'fred', node: 'fred', group: 'node', state: 'running' },
      { id: '', name: 'worker-1', node: 'worker-1', group: 'worker', state: 'running' },
    ],
  });
  expect(await holderOf(roster, { address: '10.0.1.1' })).toEqual({ status: 'unknown' });
});
