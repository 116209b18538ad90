import { beforeEach, describe, expect, it } from 'vitest';

import type { BuiltBundle } from '../../../../../controller/src/build/build.ts';
import { Prebuild } from '../../../../../controller/src/commands/dev/prebuild.ts';
import { bundleOf } from '../../../fixtures.ts';

/** The content of the files, and the builds that were made. */
let files: Map<string, string>;
let builds: string[];

const context = {
  build: async (modules: readonly string[], check: boolean, say: (report: never) => void): Promise<BuiltBundle[]> => {
    builds.push(`${modules.join(' ')}${check ? ' checked' : ''}`);
    const sources = modules.map(module => files.get(`${module}.ts`) ?? '');
    await Promise.resolve();
    if (sources.includes('BROKEN')) throw new Error('broken');
    say({ type: 'warning', message: 'said' } as never);
    return modules.map((module, index) => ({
      bundle: bundleOf(module, sources[index] ?? ''),
      packed: new Uint8Array(),
      packages: null,
      groups: null,
      sources: { [`${module}.ts`]: sources[index] ?? '' },
    }));
  },
  sources: {
    changedAmong: (sources: Readonly<Record<string, string>>) =>
      Object.keys(sources).filter(path => files.get(path) !== sources[path]),
  },
  availableModules: () => [...files.keys()].map(path => path.replace('.ts', '')),
};

let prebuild: Prebuild;
const save = (module: string, source: string): void => {
  files.set(`${module}.ts`, source);
  prebuild.start(`${module}.ts`);
};

/** The code that a push of modules gets, and what it was told. */
async function built(...modules: string[]) {
  const said: unknown[] = [];
  const bundles = await prebuild.build(modules, false, report => said.push(report));
  return { code: bundles.map(({ bundle }) => bundle.code), said: said.length };
}

beforeEach(() => {
  files = new Map();
  builds = [];
  prebuild = new Prebuild(context, false);
});

describe('a module that is saved', () => {
  it('is built at once, and not again by its push', async () => {
    save('demo', 'one');
    expect(builds).toEqual(['demo']);
    expect(await built('demo')).toEqual({ code: ['one'], said: 1 });
    expect(builds).toEqual(['demo']);
    expect(await built('demo')).toEqual({ code: ['one'], said: 1 });
    expect(builds).toEqual(['demo', 'demo']);
  });

  it('is built again when it was saved meanwhile, or was broken', async () => {
    save('demo', 'one');
    save('demo', 'two');
    expect(await built('demo')).toEqual({ code: ['two'], said: 1 });
    save('demo', 'BROKEN');
    await expect(built('demo')).rejects.toThrow('broken');
    files.set('demo.ts', 'repaired');
    expect((await built('demo')).code).toEqual(['repaired']);
  });

  it('is built again when it is not pushed alone, another file was saved, or the push checks types', async () => {
    files.set('counter.ts', 'beside');
    save('demo', 'one');
    expect((await built('demo', 'counter')).code).toEqual(['one', 'beside']);
    save('demo', 'two');
    prebuild.start('tsconfig.json');
    await built('demo');
    save('demo', 'three');
    await prebuild.build(['demo'], true, () => undefined);
    expect(builds).toEqual(['demo', 'demo counter', 'demo', 'demo', 'demo', 'demo checked']);
  });

  it('is not built as long as another build runs, or when it is no module', () => {
    files.set('counter.ts', 'x');
    save('demo', 'one');
    prebuild.start('counter.ts');
    prebuild.start('notes.txt');
    expect(builds).toEqual(['demo']);
  });
});
