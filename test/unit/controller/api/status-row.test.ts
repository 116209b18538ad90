import * as v from 'valibot';
import { describe, expect, it } from 'vitest';

import { statusRow } from '../../../../controller/src/api/status-row.ts';

const revision = 'a'.repeat(64);
const row = {
  module: 'demo',
  node: 'fred',
  desired: revision,
  running: revision,
  canary: false,
  state: 'ok',
  errors: 0,
  draining: [],
};

describe('a row of a status', () => {
  it('is what it was, whether there is something to say of it or not', () => {
    const drains = [{ module: 'demo', revision, since: 1, inFlight: 1, heldBy: 'demo.add' }];
    const rows = [
      row,
      { ...row, desired: null, running: null },
      { ...row, running: null, state: 'silent' },
      { ...row, draining: drains },
      { ...row, state: 'refused', detail: 'badfile: no', attempts: 2, nextAttemptInMs: 5 },
    ];
    for (const each of rows) expect(v.parse(statusRow, each)).toEqual(each);
  });

  it('loses what is not known of it', () => {
    expect(v.parse(statusRow, { ...row, later: true })).toEqual(row);
    expect(() => v.parse(statusRow, { ...row, errors: undefined, later: true })).toThrow(v.ValiError);
  });

  it('is rejected for any field that is wrong', () => {
    const wrong = [
      { module: 'Demo' },
      { module: 'constructor' },
      { node: '' },
      { desired: 'a', running: 'a' },
      { desired: 1, running: 1 },
      { canary: null },
      { state: 'well' },
      { errors: -1 },
      { draining: {} },
      { draining: [1] },
    ];
    for (const fields of wrong) {
      const { issues } = v.safeParse(statusRow, { ...row, ...fields });
      expect(issues?.map(issue => v.getDotPath(issue)?.split('.')[0])).toContain(Object.keys(fields)[0]);
    }
    for (const none of [null, [], 'row', Object.values(row)]) expect(v.is(statusRow, none)).toBe(false);
  });
});
