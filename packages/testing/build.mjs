// Writes dist/: the bundles, the configuration of NATS and of the proxy, and the types.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
const DECLARATIONS = join(ROOT, '.cache/types/packages/testing');

/** They have programs of their own, or state that the test shares with them. ssh2 does without the last one. */
const EXTERNAL = ['esbuild', 'oxc-transform', 'vitest', 'cpu-features'];

const ENTRIES = ['index=src/index.ts', 'vitest=src/vitest.ts'];
const LOADED_BY_THE_PLUGIN = ['setup=src/vitest/setup.ts', 'file-runtime=src/vitest/file-runtime.ts'];

/** For CommonJS in the bundles: testcontainers and what it needs, more than half of the packages that a project would have to install. */
const BANNER =
  `import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url), ` +
  '__dirname = import.meta.dirname, __filename = import.meta.filename;';

const out = join(HERE, `.dist.${process.pid}`);
const bin = name => join(ROOT, 'node_modules/.bin', name);

rmSync(out, { recursive: true, force: true });
mkdirSync(out);
execFileSync(
  bin('esbuild'),
  [
    ...ENTRIES,
    ...LOADED_BY_THE_PLUGIN,
    '--bundle',
    '--splitting',
    '--platform=node',
    '--target=node20.19',
    '--format=esm',
    '--minify-whitespace',
    '--line-limit=160',
    '--loader:.node=empty',
    '--log-level=warning',
    `--outdir=${out}`,
    `--banner:js=${BANNER}`,
    ...EXTERNAL.map(name => `--external:${name}`),
  ],
  { cwd: HERE, stdio: 'inherit' },
);
for (const file of ['nats/nats.conf', 'proxy/haproxy.cfg']) cpSync(join(ROOT, file), join(out, file.split('/')[1]));

execFileSync(bin('tsc'), ['--build', HERE], { stdio: 'inherit' });
const written = new Set();
for (const entry of ['index', 'vitest']) addTypes(join(DECLARATIONS, `src/${entry}.d.ts`), `${entry}.d.ts`);

rmSync(join(HERE, 'dist'), { recursive: true, force: true });
renameSync(out, join(HERE, 'dist'));

/** Copies a file of types and all that it imports. */
function addTypes(file, target) {
  if (written.has(target)) return;
  written.add(target);
  const specifierOf = path => {
    const imported = importedBy(file, path);
    addTypes(imported.file, imported.target);
    const specifier = relative(dirname(target), imported.target).replace(/\.d\.ts$/, '.js');
    return specifier.startsWith('.') ? specifier : `./${specifier}`;
  };
  const text = readFileSync(file, 'utf8')
    .replaceAll(
      /^((?:import|export|\})[^'\n]*from )'(\.[^']+?)(?:\.d)?\.ts'/gm,
      (_, start, path) => `${start}'${specifierOf(path)}'`,
    )
    .replaceAll(/import\("(\.[^"]+?)(?:\.d)?\.ts"\)/g, (_, path) => `import("${specifierOf(path)}")`);
  mkdirSync(dirname(join(out, target)), { recursive: true });
  writeFileSync(join(out, target), text);
}

/** Where a file of types is, and where it goes: those of other folders of the repository into `types/`. */
function importedBy(file, path) {
  const source = resolve(HERE, relative(DECLARATIONS, dirname(file)), path);
  const inPackage = relative(join(HERE, 'src'), source);
  if (!inPackage.startsWith('..'))
    return { file: join(DECLARATIONS, 'src', `${inPackage}.d.ts`), target: `${inPackage}.d.ts` };
  if (dirname(source) !== join(ROOT, 'types')) throw new TypeError(`${file} shows ${source}, which is not public`);
  return { file: `${source}.d.ts`, target: join('types', `${relative(join(ROOT, 'types'), source)}.d.ts`) };
}
