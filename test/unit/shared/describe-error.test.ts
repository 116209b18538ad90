import { describe, expect, it } from 'vitest';

import { errorDescription, errorLine, errorText, MAX_DESCRIPTIONS } from '../../../protocol/error-description.ts';
import { describeError } from '../../../shared/describe-error.ts';
import { hostiles } from './hostile-values.ts';
import * as v from 'valibot';

const nothing = (): null => null;

/** An error with a stack that does not depend on this file. */
function errorOf(message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), { stack: `Error: ${message}\n    at f` }, fields);
}

describe('describeError', () => {
  it('returns type, message and stack of an error', () => {
    const error = Object.assign(new Error('doo'), { name: 'Yabba', stack: 'the stack' });
    expect(describeError(error, nothing)).toEqual({ type: 'Yabba', message: 'doo', stack: 'the stack' });
  });

  it('returns the type and the text of a value that is not an error', () => {
    expect(describeError({ code: 7 }, nothing)).toEqual({ type: 'object', message: '{ code: 7 }' });
  });

  it('returns the code, the causes and the parts of an error', () => {
    const lost = errorOf('lost', { code: 'ECONNRESET', cause: 'a text' });
    const error = Object.assign(new AggregateError([lost, errorOf('busy', { code: 7 })], 'all failed'), { stack: 's' });
    expect(describeError(errorOf('outer', { cause: error }), nothing)).toEqual({
      type: 'Error',
      message: 'outer',
      stack: 'Error: outer\n    at f',
      cause: {
        type: 'AggregateError',
        message: 'all failed',
        stack: 's',
        errors: [
          {
            type: 'Error',
            message: 'lost',
            code: 'ECONNRESET',
            stack: 'Error: lost\n    at f',
            cause: { type: 'string', message: 'a text' },
          },
          { type: 'Error', message: 'busy', code: 7, stack: 'Error: busy\n    at f' },
        ],
      },
    });
  });

  it('ends at a cause that is above itself', () => {
    const [outer, inner] = [errorOf('outer'), errorOf('inner')];
    Object.assign(outer, { cause: inner });
    Object.assign(inner, { cause: outer });
    expect(describeError(outer, nothing).cause).toEqual({ type: 'Error', message: 'inner', stack: inner.stack });
  });

  it.each([
    [
      'a long chain',
      () => Array.from({ length: 1_000 }).reduce((cause: Error) => errorOf('no', { cause }), errorOf('x')),
    ],
    ['many parts', () => errorOf('no', { errors: Array.from({ length: 1_000 }, () => errorOf('x')) })],
    [
      'many parts of parts',
      () => errorOf('no', { errors: Array(9).fill(errorOf('x', { errors: Array(9).fill(errorOf('y')) })) }),
    ],
    ['long texts', () => errorOf('x'.repeat(1e6), { cause: 'y'.repeat(1e6), stack: 'z'.repeat(1e6) })],
    ['an own AbortError', () => new DOMException('aborted', 'AbortError')],
    ['an odd code', () => errorOf('no', { code: NaN })],
  ])('is a description that an answer can carry: %s', (_, error) => {
    const description = describeError(error(), nothing);
    expect(v.parse(errorDescription, JSON.parse(JSON.stringify(description)))).toEqual(description);
    expect(JSON.stringify(description).match(/"type"/g)?.length).toBeLessThanOrEqual(MAX_DESCRIPTIONS);
    expect(JSON.stringify(description).length).toBeLessThan(MAX_DESCRIPTIONS * 40_000);
    expect(description.code).toBeUndefined();
  });

  it.each(hostiles)('never throws: %s', (_, thrown) => {
    const { type, message, stack } = describeError(thrown, nothing);
    expect([typeof type, typeof message]).toEqual(['string', 'string']);
    expect(['string', 'undefined']).toContain(typeof stack);
  });
});

describe('a description', () => {
  const description = describeError(
    errorOf('outer', { code: 'E1', cause: errorOf('all', { errors: [errorOf('a E2', { code: 'E2' }), 'b'] }) }),
    nothing,
  );

  it('has a text of one line', () => {
    expect(errorLine(description)).toBe('Error: outer (E1); cause: Error: all [Error: a E2; string: b]');
  });

  it('has a text as Node.js prints the error', () => {
    expect(errorText(description)).toBe(
      `Error: outer
    at f {
  code: 'E1',
  [cause]: Error: all
      at f {
    [errors]: [
      Error: a E2
          at f {
        code: 'E2'
      },
      b
    ]
  }
}`,
    );
  });
});
