import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { ExternalPackages } from '../../../../node-image/src/packages/external-packages.ts';
import { PackageFolder } from '../../../../node-image/src/packages/package-folder.ts';
import { Packages } from '../../../../node-image/src/packages/packages.ts';
import { ScopedResources } from '../../../../node-image/src/sandbox/scoped-resources.ts';
import { headOf, recordingLog } from '../../fixtures.ts';
import { bundleWith, FixtureStream, type Installed } from '../packages/package-set.ts';

// A process of its own for packages-collected.test.ts: it loads and drops package sets, and prints what it measured as JSON.

const LOADS = 200;
const EARLY = 40;

/** Two packages that hold an array and open what a package can open; each version is another instance. */
const installed = (version: number): Installed => ({
  big: {
    version: `1.0.${version}`,
    files: {
      'index.js': `const held = Array.from({ length: 5_000 }, (_, index) => ({ index }));
        setInterval(() => held, 1_000); process.on('SIGUSR2', () => held);
        exports.held = held; exports.helper = require('helper'); exports.later = () => require('./later.js');
        globalThis.register(exports, held);`,
      'later.js': 'exports.later = 1;',
    },
    dependencies: ['helper'],
  },
  helper: {
    version: `1.0.${version}`,
    files: { 'index.js': `exports.big = () => require('big');` },
    dependencies: ['big'],
  },
});

const folder = mkdtempSync(join(tmpdir(), 'dropped-'));
const log = recordingLog();
const resources = new ScopedResources();
const packages = new Packages({
  folder: new PackageFolder(folder),
  external: new ExternalPackages(join(folder, 'external')),
  resources,
  log,
  onError: error => log.error({ error }, ''),
});
const server = new CodeServer(log, { packages, resources });

let collected = 0;
const registry = new FinalizationRegistry<null>(() => (collected += 1));
Object.assign(globalThis, { register: (...held: object[]) => held.forEach(each => registry.register(each, null)) });

async function loadAndDrop(version: number): Promise<void> {
  const stream = new FixtureStream();
  const hash = stream.add(installed(version));
  const code = `const big = require.import('big'); exports.use = () => [big.held.length, big.helper.big() === require('big'), big.later()];`;
  const bundle = bundleWith(hash, code);
  const readiness = await packages.prepare(bundle, stream);
  if (readiness.status === 'failed') throw new Error(readiness.detail);
  server.prepare(bundle, readiness.set);
  const loaded = server.commit([headOf('demo', bundle.revision, 2 * version + 1)]);
  const use = server.current('demo')?.exports['use'] as () => unknown[];
  if (loaded.status !== 'ok' || JSON.stringify(use()) !== '[5000,true,{"later":1}]')
    throw new Error(JSON.stringify(loaded));
  server.commit([headOf('demo', null, 2 * version + 2)]);
  await turn();
  await packages.collect(() => server.packagesInUse());
  log.logged.length = 0;
}

async function heap(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.();
    await turn();
  }
  return process.memoryUsage().heapUsed;
}

const heaps: number[] = [];
for (let load = 1; load <= LOADS; load += 1) {
  await loadAndDrop(load);
  if (load === EARLY || load === LOADS) heaps.push(await heap());
}
const files = ['archives', 'instances', 'sets', 'temporary'].flatMap(name => readdirSync(join(folder, name))).length;
const listeners = process.listenerCount('SIGUSR2');
packages[Symbol.dispose]();
resources[Symbol.dispose]();
rmSync(folder, { recursive: true });
process.stdout.write(JSON.stringify({ heaps, collected, files, listeners }));
