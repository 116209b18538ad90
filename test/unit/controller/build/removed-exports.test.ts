import { describe, expect, it } from 'vitest';

import { removedExports, removedExportWarnings } from '../../../../controller/src/build/removed-exports.ts';

const manifest = (exports: string[], imports: Record<string, string[]> = {}) => ({ exports, imports, sources: {} });

describe('removedExports', () => {
  it('are those that a manifest no longer has', () => {
    expect(removedExports('demo', manifest(['add', 'less']), manifest(['add', 'more'])).names).toEqual(['less']);
  });

  it('are none when the module did not run before', () => {
    expect(removedExports('demo', null, manifest(['add'])).names).toEqual([]);
  });
});

describe('removedExportWarnings', () => {
  const importer = manifest(['f'], { demo: ['add', 'less'] });

  it('name the importers of an export that is gone', () => {
    const manifests = new Map([
      ['greeter', importer],
      ['other', importer],
      ['demo', importer],
      ['stranger', manifest(['f'], { 'demo-two': ['add'] })],
    ]);
    expect(removedExportWarnings([{ module: 'demo', names: ['add'] }], manifests)).toEqual([
      'demo no longer exports add, which greeter, other import',
    ]);
  });

  it('leave out what no module imports', () => {
    expect(removedExportWarnings([{ module: 'demo', names: ['unused'] }], new Map([['greeter', importer]]))).toEqual(
      [],
    );
  });
});
