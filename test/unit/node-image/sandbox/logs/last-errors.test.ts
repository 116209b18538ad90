import { describe, expect, it } from 'vitest';

import { LastErrors } from '../../../../../node-image/src/sandbox/logs/last-errors.ts';

const revision = (digit: string): string => digit.repeat(64);
const demo = { module: 'demo', revision: revision('a') };
const error = (message: string) => ({ type: 'Error', message });

const messagesOf = (errors: LastErrors, module = 'demo') =>
  errors.of(module).map(each => [each.revision.slice(0, 1), each.errors.map(({ error: { message } }) => message)]);

describe('the last errors of a module', () => {
  it('are the last ten of each revision, the newest first', () => {
    const errors = new LastErrors();
    for (let number = 1; number <= 25; number += 1) errors.add(demo, 'demo.add', error(`error ${number}`));
    errors.add({ ...demo, revision: revision('b') }, 'demo.add', error('of b'));
    errors.add({ module: 'other', revision: revision('a') }, 'other.x', error('of another'));
    const last = Array.from({ length: 10 }, (_, index) => `error ${25 - index}`);
    expect(messagesOf(errors)).toEqual([
      ['b', ['of b']],
      ['a', last],
    ]);
  });

  it('are one where they are equal, with the number of times', () => {
    const errors = new LastErrors();
    errors.add(demo, 'demo.add', error('again'));
    errors.add(demo, 'demo.add', error('once'));
    errors.add(demo, 'demo.add', error('again'));
    errors.add(demo, 'demo.sub', error('again'));
    expect(errors.of('demo')[0]?.errors).toMatchObject([
      { count: 1, where: 'demo.sub' },
      { count: 2, where: 'demo.add', error: error('again') },
      { count: 1, error: error('once') },
    ]);
  });

  it('take little memory, however large errors are and however many revisions there were', () => {
    const errors = new LastErrors();
    const large = { ...error('x'.repeat(16_000)), stack: 'y'.repeat(16_000), cause: error('z'.repeat(16_000)) };
    for (let number = 0; number < 100; number += 1) {
      errors.add({ module: 'demo', revision: `${number}`.padStart(64, '0') }, 'demo.add', large);
    }
    expect(errors.of('demo')).toHaveLength(32);
    expect(JSON.stringify(errors.of('demo')).length).toBeLessThan(32 * 5_000);
  });

  it('are not described in a flood', () => {
    let time = 0;
    const errors = new LastErrors(() => time);
    const taken = (version = demo): number => Array.from({ length: 1_000 }).filter(() => errors.takes(version)).length;
    expect(taken()).toBe(50);
    time += 100;
    expect(taken()).toBe(2);
    // Another version has its own errors described all the same.
    expect(taken({ ...demo, module: 'other' })).toBe(50);
  });
});
