import { describe, expect, it } from 'vitest';

import { desiredRevision, revisionsOf } from '../../../protocol/head.ts';
import { headOf } from '../fixtures.ts';

describe('desiredRevision', () => {
  const [stable, trial] = ['a', 'b'].map(digit => digit.repeat(64));
  const canary = {
    revision: trial ?? '',
    manifest: null,
    scope: { type: 'names' as const, names: ['fred'] },
    maxErrors: 0,
  };

  it('is the same for every node without a canary', () => {
    const head = headOf('demo', stable ?? '', 1);
    expect(['fred', 'betty'].map(node => desiredRevision(head, node))).toEqual([stable, stable]);
    expect(revisionsOf(head)).toEqual([stable]);
  });

  it("is the canary's in its scope, and the head's own elsewhere", () => {
    const head = { ...headOf('demo', stable ?? '', 1), canary };
    expect(['fred', 'betty'].map(node => desiredRevision(head, node))).toEqual([trial, stable]);
    expect(revisionsOf(head)).toEqual([stable, trial]);
  });

  it("is null outside the scope of a new module's canary", () => {
    const head = { ...headOf('demo', null, 1), canary };
    expect(['fred', 'betty'].map(node => desiredRevision(head, node))).toEqual([trial, null]);
    expect(revisionsOf(head)).toEqual([trial]);
  });
});
