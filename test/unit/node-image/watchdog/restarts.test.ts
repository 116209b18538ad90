import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import {
  isLoop,
  LOOP_MS,
  readRestarts,
  takeRestarts,
  withRestart,
  writeRestarts,
} from '../../../../node-image/src/watchdog/restarts.ts';

const folder = mkdtempSync(join(tmpdir(), 'hotcast-restarts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const NOW = 1_700_000_000_000;

describe('a loop of restarts', () => {
  it.each([
    ['three in ten minutes', [NOW - LOOP_MS, NOW - 1, NOW], true],
    ['two in ten minutes', [NOW - LOOP_MS - 1, NOW - 1, NOW], false],
    ['none', [], false],
  ])('is known by %s', (_, at, expected) => {
    expect(isLoop({ at, alarmMb: null }, NOW)).toBe(expected);
  });
});

describe('the restarts file', () => {
  it('returns what was written', () => {
    const path = join(folder, 'new/restarts.json');
    const restarts = withRestart({ at: [NOW], alarmMb: 7 }, NOW + 5);
    writeRestarts(path, restarts);
    expect(readRestarts(path)).toEqual({ at: [NOW, NOW + 5], alarmMb: null });
  });

  it.each([
    ['is not there', null],
    ['is cut off', '{"at":[1'],
    ['is something else', '[]'],
  ])('has no restarts when it %s', (_, text) => {
    const path = join(folder, 'bad.json');
    if (text !== null) writeFileSync(path, text);
    expect(readRestarts(path)).toEqual({ at: [], alarmMb: null });
  });

  it('counts a process that ended without a word during an alarm, once', () => {
    const path = join(folder, 'alarm.json');
    writeRestarts(path, { at: [NOW], alarmMb: 950 });
    const expected = { at: [NOW, NOW + 5], alarmMb: null };
    expect(takeRestarts(path, NOW + 5)).toEqual({ restarts: expected, alarmMb: 950 });
    expect(takeRestarts(path, NOW + 9)).toEqual({ restarts: expected, alarmMb: null });
  });
});
