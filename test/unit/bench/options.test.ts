import { describe, expect, it } from 'vitest';

import { loadOptions, PARTS } from '../../../bench/options.ts';

describe('options', () => {
  it('are thirty nodes and all parts where nothing is said, also by empty variables', () => {
    const options = { nodes: 30, rounds: 20, parts: PARTS, project: 'hotcast-bench' };
    expect(loadOptions({})).toMatchObject(options);
    expect(loadOptions({ NODES: '', ONLY: '', ROUNDS: '', HOTCAST_PROJECT: '' })).toMatchObject(options);
  });

  it('have parts in the order in which they are measured', () => {
    expect(loadOptions({ ONLY: 'scale,push' }).parts).toEqual(['push', 'scale']);
  });

  it('tell all that is wrong', () => {
    expect(() => loadOptions({ NODES: 'many', ONLY: 'push,speed', ROUNDS: '0' })).toThrow(
      'NODES must be a number from 2 to 250\nROUNDS must be a number from 1\nONLY knows cost, push, edit, restarts, scale; not speed',
    );
  });
});
