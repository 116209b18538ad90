import { describe, expect, it } from 'vitest';

import { diffOf, sourcesIn } from '../../../../../controller/src/services/console/model/diff.ts';

describe('the diff of two revisions', () => {
  it('has the lines that were added and removed, file by file, and no file that is the same', () => {
    const before = new Map([
      ['modules/demo.ts', 'one\ntwo\n'],
      ['modules/same.ts', 'same\n'],
    ]);
    const after = new Map([...before, ['modules/demo.ts', 'one\n2\n']]);
    const [file, ...others] = diffOf(before, after);
    expect(others).toEqual([]);
    expect(file).toMatchObject({ file: 'modules/demo.ts', added: 1, removed: 1 });
    expect(file?.lines.map(({ kind, text }) => `${kind} ${text}`)).toEqual(['same one', 'removed two', 'added 2']);
  });

  it('reads the sources of a map, and nothing of what is no map', () => {
    const map = { sources: ['../modules/demo.ts', null], sourcesContent: ['text', null] };
    expect([...sourcesIn(JSON.stringify(map))]).toEqual([['modules/demo.ts', 'text']]);
    expect(sourcesIn('{}').size).toBe(0);
  });
});
