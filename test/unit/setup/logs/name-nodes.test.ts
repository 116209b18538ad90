import { describe, expect, it } from 'vitest';

import { nameNode } from '../../../../setup/logs/name-nodes.ts';

describe('a line of the logs', () => {
  it.each([
    ['node-3          | {"level":30,"node":"betty"}', 'betty           | {"level":30,"node":"betty"}'],
    ['node-31  | x', 'node-31  | x'],
    ['node-6  | x', 'pebbles | x'],
    ['controller-1    | node-1  | x', 'controller-1    | node-1  | x'],
    ['nats-1  | [1] node-3 | y', 'nats-1  | [1] node-3 | y'],
  ])('has the name of its node, and is otherwise as it was: %s', (line, named) => {
    expect(nameNode(line)).toBe(named);
  });
});
