import { describe, expect, it } from 'vitest';

import { loadOptions, PARTS } from '../options.ts';

describe('options', () => {
  it('default to thirty nodes and all parts, also with empty variables', () => {
    const options = { nodes: 30, rounds: 20, parts: PARTS, against: null, project: 'hotcast-bench' };
    expect(loadOptions({})).toMatchObject(options);
    expect(loadOptions({ NODES: '', ONLY: '', ROUNDS: '', AGAINST: '', HOTCAST_PROJECT: '' })).toMatchObject(options);
    // In the order of the measurement.
    expect(loadOptions({ ONLY: 'scale,push' }).parts).toEqual(['push', 'scale']);
    // It takes an hour.
    expect(loadOptions({ ONLY: 'idle' })).toMatchObject({ parts: ['idle'], idleMinutes: 60 });
  });

  it('report all errors at once', () => {
    expect(() => loadOptions({ NODES: 'many', ONLY: 'push,speed', ROUNDS: '0', IDLE_MINUTES: '-1' })).toThrow(
      'NODES must be a number from 2 to 250\nROUNDS must be a number from 1\nIDLE_MINUTES must be a number from 0\nONLY knows http, calls, cost, push, joining, edit, tail, console, restarts, scale, idle; not speed',
    );
  });
});
