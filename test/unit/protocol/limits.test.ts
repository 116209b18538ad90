import { describe, expect, it } from 'vitest';

import { decode, encode } from '../../../protocol/codec.ts';
import { joinFrames, splitFrames } from '../../../protocol/bytes/framing.ts';
import { MAX_FUNCTION_NAME, MAX_FUNCTION_PATH, MAX_MODULES } from '../../../protocol/limits.ts';
import { callRequest } from '../../../protocol/messages.ts';

describe('a request to call', () => {
  const requestOf = (name: number, path: number) =>
    encode({ module: 'demo', function: 'f'.repeat(name), path: Array.from({ length: path }, () => 'p'), args: [] });

  it.each([
    ['a name of the longest length', MAX_FUNCTION_NAME, 0],
    ['the deepest path', 1, MAX_FUNCTION_PATH],
  ])('can have %s', (_, name, path) => {
    expect(decode(callRequest, requestOf(name, path)).path).toHaveLength(path);
  });

  it.each([
    ['a longer name', MAX_FUNCTION_NAME + 1, 0],
    ['a deeper path', 1, MAX_FUNCTION_PATH + 1],
  ])('cannot have %s', (_, name, path) => {
    expect(() => decode(callRequest, requestOf(name, path))).toThrow();
  });
});

it('a commit has heads of as many modules as a node can run, and not one more', () => {
  const frames = (count: number) => joinFrames(Array.from({ length: count }, () => new Uint8Array(1)));
  expect(splitFrames(frames(MAX_MODULES), MAX_MODULES)).toHaveLength(MAX_MODULES);
  expect(() => splitFrames(frames(MAX_MODULES + 1), MAX_MODULES)).toThrow(`more than ${MAX_MODULES} frames`);
});
