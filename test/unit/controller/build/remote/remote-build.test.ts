import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { AskOperator } from '../../../../../controller/src/api/operator-session.ts';
import type { PackagesUnderTest } from '../../../../../controller/src/build/preflight/protocol.ts';
import { type LocalSources, openSources } from '../../../../../controller/src/build/remote/local-sources.ts';
import { createRemoteBuild } from '../../../../../controller/src/build/remote/remote-build.ts';
import { UnpackedPackages } from '../../../../../controller/src/build/remote/unpacked-packages.ts';
import {
  decodeBuilt,
  decodeSurvey,
  encodeBuilt,
  type SentModule,
} from '../../../../../controller/src/build/remote/wire.ts';
import { type Bundle, decodeBundle, encodeBundle, packMap } from '../../../../../protocol/bundle.ts';
import { decodePackageSet, encodePackageSet, packageSetHashOf } from '../../../../../protocol/packages.ts';
import { revisionOf } from '../../../../../protocol/revision.ts';

const FILES = {
  'modules/plain.ts': `export const one = (): number => 1;\n`,
  'modules/count.ts': `import { twice } from 'tiny';\nexport const four = (): number => twice(2);\n`,
  'node_modules/tiny/package.json': `{ "name": "tiny", "version": "1.2.3", "main": "lib/index.js", "dependencies": { "@small/add": "*" } }`,
  'node_modules/tiny/lib/index.js': `const { add } = require('@small/add'); exports.twice = n => add(n, n);`,
  'node_modules/@small/add/package.json': `{ "name": "@small/add", "version": "1.0.0" }`,
  'node_modules/@small/add/index.js': `exports.add = (a, b) => a + b;`,
};

let folder: string;
let local: LocalSources;
let unpacked: UnpackedPackages;
/** What the preflight was given. */
let preflighted: {
  readonly bundles: readonly Bundle[];
  readonly packages: ReadonlyMap<string, PackagesUnderTest> | undefined;
}[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-remote-build-'));
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  local = await openSources(folder, folder);
  unpacked = new UnpackedPackages();
  preflighted = [];
});
afterEach(async () => {
  await local[Symbol.asyncDispose]();
  unpacked[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const nothing = (): void => undefined;

/** An operator whose answers are changed on their way. */
function operator(
  change: {
    readonly built?: (all: SentModule[]) => SentModule[];
    readonly archive?: (bytes: Uint8Array) => Uint8Array;
  } = {},
): AskOperator {
  return async (question, say = nothing) => {
    const answer = await local.answer(question, say);
    if (question.what === 'build') return encodeBuilt((change.built ?? (all => all))(decodeBuilt(answer)));
    return question.what === 'archive' ? (change.archive ?? (bytes => bytes))(answer) : answer;
  };
}

/** Builds as a controller does. */
const build = (ask: AskOperator, ...modules: string[]) =>
  createRemoteBuild({
    preflight: {
      run: async (bundles, packages) => {
        preflighted.push({ bundles, packages });
        return { bundles: bundles.map(bundle => ({ ...bundle, memoryBytes: 7 })), warnings: [] };
      },
    },
    unpacked,
    maxPayload: () => 2 ** 23,
    moduleMaxBytes: 2 ** 20,
  })(ask)(modules, false, nothing);

/** Changes the bundle of the first module. */
const changed =
  (change: (bundle: Bundle) => Bundle) =>
  ([first, ...rest]: SentModule[]): SentModule[] =>
    first === undefined ? rest : [{ ...first, packed: encodeBundle(change(decodeBundle(first.packed))) }, ...rest];

const REFUSED = /^what the operator sent is not what was asked for: .*; nothing was sent$/;

describe('a build where the sources are', () => {
  it('is that of the controller, with a preflight of its own', async () => {
    const [built] = await build(operator(), 'plain');
    expect(built).toMatchObject({ bundle: { module: 'plain', exports: ['one'], memoryBytes: 7 }, packages: null });
    expect(built?.sources).toHaveProperty(['modules/plain.ts']);
    expect(decodeBundle(built?.packed ?? new Uint8Array()).revision).toBe(built?.bundle.revision);
  });

  it('unpacks packages so that Node.js finds what they import, and asks for none twice', async () => {
    const asked: string[] = [];
    const ask: AskOperator = (question, say) => {
      asked.push(question.what);
      return operator()(question, say);
    };
    const [built] = await build(ask, 'count');
    const [file] = preflighted[0]?.packages?.get('count')?.imports ?? [];
    expect((createRequire(import.meta.url)(file?.file ?? '') as { twice: (n: number) => number }).twice(2)).toBe(4);
    expect(built?.packages?.manifest.versions).toEqual({ tiny: '1.2.3' });
    // What the stream lacks is written without another question.
    for (const archive of built?.packages?.archives ?? []) await archive.packed();
    await build(ask, 'count');
    expect(asked).toEqual(['build', 'archive', 'archive', 'build']);
  });

  it('is done for several operators at once', async () => {
    const all = await Promise.all([1, 2, 3].map(() => build(operator(), 'count')));
    expect(new Set(all.map(([built]) => built?.bundle.revision)).size).toBe(1);
  });

  it('takes no code cache and no measured size of the operator', async () => {
    const cache = { runtime: 'x', data: Buffer.from('hostile') };
    const [built] = await build(operator({ built: changed(each => ({ ...each, cache, memoryBytes: 1 })) }), 'plain');
    expect(preflighted[0]?.bundles[0]).not.toHaveProperty('cache');
    expect(preflighted[0]?.bundles[0]?.memoryBytes).toBe(0);
    expect(built?.bundle).not.toHaveProperty('cache');
  });

  it.each<[string, (all: SentModule[]) => SentModule[]]>([
    ['code that is not that of its revision', changed(each => ({ ...each, code: `${each.code}//` }))],
    [
      'another module',
      changed(each => ({ ...each, module: 'other', revision: revisionOf(each.code, each.mapHash, each.packages) })),
    ],
    ['a map that is not that of its revision', changed(each => ({ ...each, map: packMap('{"version":3}') }))],
    ['packages that its revision does not name', all => all.map(each => ({ ...each, packages: null, set: null }))],
    ['a package set that its revision does not name', all => all.map(each => ({ ...each, set: Buffer.from('{}') }))],
    [
      'an import of a package that is not in the set',
      all =>
        all.map(each => ({
          ...each,
          packages: each.packages && {
            ...each.packages,
            imports: [{ specifier: 'npm:tiny', path: 'index.js', instance: 'f'.repeat(64) }],
          },
        })),
    ],
    ['a module too many', all => [...all, ...all]],
    ['none', () => []],
    ['bytes that are no bundle', all => all.map(each => ({ ...each, packed: Buffer.from('x') }))],
  ])('refuses %s', async (_, change) => {
    await expect(build(operator({ built: change }), 'count')).rejects.toThrow(REFUSED);
    expect(preflighted).toEqual([]);
  });

  it('refuses bytes that are no answer', async () => {
    await expect(build(async () => Buffer.from('\0\0\0\u0004{}'), 'plain')).rejects.toThrow(REFUSED);
    await expect(build(async () => new Uint8Array(), 'plain')).rejects.toThrow(REFUSED);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['with another hash', bytes => gzipSync(Buffer.concat([gunzipSync(bytes), Buffer.from('x')]))],
    ['that does not unpack', bytes => bytes.map(byte => byte ^ 1)],
    ['of another size', bytes => bytes.subarray(1)],
  ])('refuses the archive of a package %s', async (_, archive) => {
    await expect(build(operator({ archive }), 'count')).rejects.toThrow(REFUSED);
    expect(preflighted).toEqual([]);
  });

  it('lets no path of a package lead out of its folder', async () => {
    const outside = (path: string) => (all: SentModule[]) =>
      all.map(each => ({
        ...each,
        packages: each.packages && {
          ...each.packages,
          imports: each.packages.imports.map(file => ({ ...file, path })),
        },
      }));
    for (const path of ['../../../../etc/passwd', 'lib/../../x', '/../../x']) {
      await expect(build(operator({ built: outside(path) }), 'count'), path).rejects.toThrow(/nothing was sent/);
    }
    expect(preflighted).toEqual([]);
    // Neither does a name in a package set, nor one of its dependencies.
    for (const name of ['../x', '..', '@a/..']) {
      const rename = (all: SentModule[]): SentModule[] =>
        all.map(each => {
          if (each.set === null || each.packages === null) return each;
          const set = decodePackageSet(each.set, each.packages.hash);
          const bytes = encodePackageSet({ ...set, instances: set.instances.map(one => ({ ...one, name })) });
          const hash = packageSetHashOf(bytes);
          const bundle = decodeBundle(each.packed);
          const revision = revisionOf(bundle.code, bundle.mapHash, hash);
          const packed = encodeBundle({ ...bundle, packages: hash, revision });
          return { ...each, packed, set: bytes, packages: { ...each.packages, hash } };
        });
      await expect(build(operator({ built: rename }), 'count'), name).rejects.toThrow(/nothing was sent/);
      expect(existsSync(join(unpacked.folder, '../x'))).toBe(false);
    }
  });

  it('tells hashes of files of the project only', async () => {
    writeFileSync(join(folder, '../secret-of-a-laptop'), 'secret');
    const paths = ['modules/plain.ts', 'gone.ts', '../secret-of-a-laptop', join(folder, '../secret-of-a-laptop')];
    const survey = decodeSurvey(
      await local.answer({ what: 'survey', paths: [...paths, 'modules/../../secret-of-a-laptop'] }, nothing),
    );
    expect(survey).toMatchObject({ available: ['count', 'plain'], unreadable: [], groups: [] });
    expect(Object.keys(survey.hashes)).toEqual(['modules/plain.ts']);
    rmSync(join(folder, '../secret-of-a-laptop'));
    expect(readFileSync(join(folder, 'modules/plain.ts'), 'utf8')).toBe(FILES['modules/plain.ts']);
    await expect(local.answer({ what: 'archive', hash: 'f'.repeat(64) }, nothing)).rejects.toThrow('was not built');
  });
});
