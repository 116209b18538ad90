import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { clusterTime } from '../../../bench/hotcast/edit-to-live.ts';
import { pushSample } from '../../../bench/hotcast/push.ts';
import { subjectSource } from '../../../bench/hotcast/subject.ts';
import { compile } from '../../../controller/src/build/compile.ts';
import type { PushResult } from '../../../controller/src/api/results.ts';

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

const times = { compile: 50, prepare: 6, write: 1, commit: 4, skew: 2 };

const result = (loaded: number, rest: Partial<PushResult> = {}): PushResult => ({
  command: 'push',
  modules: [{ module: 'subject', revision: 'abc' }],
  outcome: 'committed',
  detail: '',
  nodes: Array.from({ length: loaded }, (_, index) => ({ node: `node-${index}`, status: 'loaded', ms: 5 })),
  times,
  ...rest,
});

describe('a sample of a push', () => {
  it('counts all parts but the compiler, and has the skew beside them', () => {
    expect(pushSample(result(3), 3)).toEqual({ ms: 11, skew: 2, phases: { prepare: 6, write: 1, commit: 4 } });
  });

  it('is none when a node did not load it', () => {
    expect(() => pushSample(result(2), 3)).toThrow('the push was committed, and 2 of 3 nodes loaded it');
  });

  it('is none when it was not committed', () => {
    expect(() => pushSample(result(3, { outcome: 'overtaken', detail: 'by another' }), 3)).toThrow(
      'the push was overtaken (by another), and 3 of 3 nodes loaded it',
    );
  });
});

describe("the cluster's time of a command", () => {
  it('is of its last line, without compiler and skew', () => {
    const output =
      'fred  loaded  22.5 ms\ncompile 27.8 ms, prepare 12.7 ms, write 0.8 ms, commit 10.2 ms, skew 4.6 ms\n';
    expect(clusterTime(output)).toBeCloseTo(23.7);
  });

  it('is told by no other output', () => {
    expect(() => clusterTime('there is no modules/edited.ts\n')).toThrow(TypeError);
  });
});
