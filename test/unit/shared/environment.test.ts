import { describe, expect, it } from 'vitest';

import { UsageError } from '../../../protocol/errors.ts';
import { choice, flag, integer, path, readSettings } from '../../../shared/environment.ts';

const DEFINITIONS = {
  timeoutMs: integer(
    'TIMEOUT_MS',
    { formerName: 'MAY_TAKE', default: 10, min: 1, max: 100, unit: 'milliseconds' },
    'A timeout.',
  ),
  count: integer('COUNT', { default: 0, min: 0 }, 'A number.'),
  level: choice('LEVEL', { values: ['low', 'middle', 'high'], default: 'low' }, 'A level.'),
  tls: flag('TLS', 'A switch.'),
  file: path('FILE', '/tmp/file', 'A file.', 'OLD_FILE'),
};

function read(env: Record<string, string>) {
  const warnings: string[] = [];
  const values = readSettings(env, DEFINITIONS, warning => warnings.push(warning));
  return { values, warnings };
}

const DEFAULTS = { timeoutMs: 10, count: 0, level: 'low', tls: false, file: '/tmp/file' };

describe('readSettings', () => {
  it('uses the default of a variable that is unset or empty', () => {
    expect(read({})).toEqual({ values: DEFAULTS, warnings: [] });
    expect(read({ TIMEOUT_MS: '', MAY_TAKE: '', FILE: '', TLS: '' })).toEqual({ values: DEFAULTS, warnings: [] });
  });

  it('gives the values of what is set', () => {
    const { values } = read({ TIMEOUT_MS: '100', COUNT: '1e6', LEVEL: 'high', TLS: '1', FILE: '/x' });
    expect(values).toEqual({ timeoutMs: 100, count: 1_000_000, level: 'high', tls: true, file: '/x' });
  });

  it('reads a former name, and warns once with the new name', () => {
    const { values, warnings } = read({ MAY_TAKE: '50', OLD_FILE: '/old', TIMEOUT_MS: '' });
    expect(values).toEqual({ ...DEFAULTS, timeoutMs: 50, file: '/old' });
    expect(warnings).toEqual([
      'MAY_TAKE is deprecated: set TIMEOUT_MS instead',
      'OLD_FILE is deprecated: set FILE instead',
    ]);
  });

  it('prefers the new name when both are set', () => {
    const { values, warnings } = read({ MAY_TAKE: '50', TIMEOUT_MS: '60' });
    expect(values.timeoutMs).toBe(60);
    expect(warnings).toHaveLength(1);
  });

  it('names every bad variable in one line', () => {
    const env = { TIMEOUT_MS: '101', COUNT: '-1', LEVEL: 'LOW', TLS: 'yes' };
    expect(() => read(env)).toThrow(UsageError);
    expect(() => read(env)).toThrow(
      'TIMEOUT_MS must be a whole number of milliseconds from 1 to 100; COUNT must be a whole number, at least 0; ' +
        'LEVEL must be low, middle or high; TLS must be 1 or 0',
    );
  });

  it('names a bad variable by the name under which it is set', () => {
    expect(() => read({ MAY_TAKE: 'soon' })).toThrow(/^MAY_TAKE \(now TIMEOUT_MS\) must be [^;]*$/);
  });

  it.each(['soon', '0', '1.5', 'Infinity', '101'])('refuses %s as a whole number from 1 to 100', text => {
    expect(() => read({ TIMEOUT_MS: text })).toThrow(UsageError);
  });
});
