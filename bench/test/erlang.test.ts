import { expect, test } from 'vitest';

import { multicallSample, nlSample } from '../erlang/erlang.ts';

test('the phases of a multicall add up to its time', () => {
  expect(multicallSample({ took: 9_000, arrived: [3_000, 1_000], switched: [8_000, 2_000] })).toEqual({
    ms: 9,
    skew: 6,
    phases: { deliver: 1, load: 7, answer: 1 },
  });
});

test('nl has no skew', () => {
  expect(nlSample({ took: 9_000, sent: 1_000, rounds: 2 })).toEqual({
    ms: 9,
    skew: null,
    phases: { send: 1, poll: 8 },
  });
});

test('an answer without its times is an error, not a sample', () => {
  expect(() => multicallSample({ took: 9_000 })).toThrow(TypeError);
  expect(() => nlSample({ sent: 1_000 })).toThrow(TypeError);
});
