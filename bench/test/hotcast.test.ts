import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { compile } from '../../controller/src/build/compile.ts';
import { pushSample } from '../hotcast.ts';
import { loadedOn } from '../rounds.ts';
import { subjectSource } from '../subject.ts';

async function compiled(source: string) {
  const folder = mkdtempSync(join(tmpdir(), 'subject-'));
  try {
    writeFileSync(join(folder, 'subject.ts'), source);
    return (await compile(folder, 'subject')).bundle;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the module that is pushed', () => {
  it.each([1_024, 10_240, 102_400])('has about %i bytes of code', async bytes => {
    const { code } = await compiled(subjectSource(bytes, 1));
    expect(Math.abs(code.length - bytes)).toBeLessThan(200);
  });

  it('has another revision in each version', async () => {
    const [one, two] = [await compiled(subjectSource(1_024, 1)), await compiled(subjectSource(1_024, 2))];
    expect(one.revision).not.toBe(two.revision);
  });
});

describe('a push', () => {
  const times = { compile: 50, prepare: 6, write: 1, commit: 4, skew: 2 };
  const nodes = ['fred', 'betty'].map(node => ({ node, status: 'loaded', ms: 5 }) as const);
  const result = {
    command: 'push',
    modules: [],
    unchanged: [],
    affected: [],
    outcome: 'committed',
    detail: '',
    nodes,
    times,
  } as const;

  it('takes the sum of its parts without the compiler; the skew is apart', () => {
    expect(pushSample(times)).toEqual({ ms: 11, skew: 2, phases: { prepare: 6, write: 1, commit: 4 } });
  });

  it('counts only when it was committed and every node has loaded it', () => {
    expect(loadedOn(2, result)).toBe(result);
    expect(() => loadedOn(3, result)).toThrow('committed, loaded on 2 of 3 nodes');
    const overtaken = { ...result, outcome: 'overtaken', detail: 'by another' } as const;
    expect(() => loadedOn(2, overtaken)).toThrow('overtaken, loaded on 2 of 2 nodes: by another');
  });
});
