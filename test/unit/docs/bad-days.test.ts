import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ROOT } from '../../support/shell.ts';
import { badDays } from './bad-days.ts';

describe('each bad day of operations.md', () => {
  const days = badDays().filter(({ title }) => title !== '');

  it.each(days)('$title: says what one sees, what it means and what to type', ({ parts, commands }) => {
    expect([...parts.keys()]).toEqual(['You see', 'It means', 'Type']);
    expect(commands).not.toEqual([]);
  });

  it('is typed by a test', () => {
    const source = readFileSync(join(ROOT, 'test/operations/bad-days.test.ts'), 'utf8');
    const tested = new Set([...source.matchAll(/type\(project, '([^']*)'\)/g)].map(([, title = '']) => title));
    expect(days.length).toBeGreaterThan(10);
    expect(days.filter(({ title }) => !tested.has(title))).toEqual([]);
  });
});
