import { describe, expect, it } from 'vitest';

import { clockOffsets, clockWarnings, logClocks } from '../../../../controller/src/fleet/clocks.ts';
import { descriptionOf, recordingLog } from '../../fixtures.ts';

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;

/** The offsets of fred, whose clock shows `fred` in the middle of a round trip of 20 ms, and of NATS's and the controller's. */
function offsetsOf(fred: number | undefined, natsOffset: number) {
  const answer = { ...descriptionOf('fred'), ...(fred === undefined ? {} : { clock: fred }) };
  const { controller, nodes } = clockOffsets(new Map([['fred', { answer, ms: 20 }]]), NOW, natsOffset);
  return { controller, fred: nodes.get('fred') };
}

describe('the offsets of clocks from that of NATS', () => {
  it.each([
    ['all agree', NOW + 10, 0, { controller: 0, fred: 0 }],
    ['a node is off by less than can be measured', NOW + 19, 0, { controller: 0, fred: 0 }],
    ['a node is ahead', NOW + 10 + HOUR, 0, { controller: 0, fred: HOUR }],
    ['a node is behind', NOW + 10 - HOUR, 0, { controller: 0, fred: -HOUR }],
    ['the controller is ahead', NOW + 10 - HOUR, -HOUR, { controller: HOUR, fred: 0 }],
    ['the controller is behind', NOW + 10 + HOUR, HOUR, { controller: -HOUR, fred: 0 }],
    ['a node does not say', undefined, 0, { controller: 0, fred: undefined }],
  ])('when %s', (_, fred, natsOffset, expected) => {
    expect(offsetsOf(fred, natsOffset)).toEqual(expected);
  });

  it('are warned about past a second', () => {
    const nodes = new Map([
      ['fred', 1_000],
      ['betty', -HOUR],
    ]);
    expect(clockWarnings({ controller: -1_000, nodes })).toEqual([
      'the clock of betty is 3600.0 s behind that of NATS: the times that it writes are wrong, and nothing else',
    ]);
    expect(clockWarnings({ controller: 1_500, nodes: new Map() })).toEqual([
      'the clock of the controller is 1.5 s ahead of that of NATS: the times that it writes are wrong, and nothing else',
    ]);
  });
});

it('a node whose heartbeats have another time is logged once, and once more when they agree again', () => {
  let tell: Parameters<Parameters<typeof logClocks>[0]['onEvent']>[0] = () => undefined;
  const log = recordingLog();
  logClocks({ onEvent: listener => void (tell = listener) }, log, () => NOW);
  const heartbeats = (...clocks: number[]) => {
    for (const clock of clocks) tell('heartbeat', { ...descriptionOf('fred'), clock });
    return log.logged.splice(0).map(({ level, fields }) => [level, fields]);
  };
  expect(heartbeats(NOW, NOW - 5_000, NOW)).toEqual([]);
  expect(heartbeats(NOW - HOUR, NOW - HOUR, NOW - HOUR)).toEqual([['warn', { node: 'fred', offsetMs: -HOUR }]]);
  expect(heartbeats(NOW + 3, NOW)).toEqual([['info', { node: 'fred', offsetMs: 3 }]]);
});
