import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// Each file of a small project breaks one rule, by the line beside it.
const broken = {
  'protocol-stands-alone': ['protocol/a.ts', `import { b } from '../shared/b.ts';`],
  'shared-imports-only-protocol': ['shared/a.ts', `import { b } from '../types/b.ts';`],
  'node-without-controller': ['node-image/src/a.ts', `import { b } from '../../controller/src/b.ts';`],
  'controller-without-node': ['controller/src/a.ts', `import { b } from '../../node-image/src/b.ts';`],
  'product-without-tests': ['node-image/src/http/b.ts', `import { b } from '../../../test/support/b.ts';`],
  'packages-at-the-rim': ['controller/src/server/p.ts', `export * from '../../../packages/hotcast/src/p.ts';`],
  'packages-apart': ['packages/create-hotcast/src/a.ts', `import { b } from '../../../test/support/b.ts';`],
  'host-without-server': ['packages/hotcast/src/a.ts', `import { b } from '../../../controller/src/server/b.ts';`],
  'only-bench-imports-bench': ['test/cluster/a.ts', `import { b } from '../../bench/b.ts';`],
  'node-cluster': ['node-image/src/cluster/a.ts', `import { b } from '../http/b.ts';`],
  'node-http': ['node-image/src/http/a.ts', `import { b } from '../cluster/b.ts';`],
  'node-metrics': ['node-image/src/metrics/a.ts', `import { b } from '../cluster/b.ts';`],
  'node-modules': ['node-image/src/modules/a.ts', `import { b } from '../cluster/b.ts';`],
  'node-packages': ['node-image/src/packages/a.ts', `import { b } from '../modules/b.ts';`],
  'node-sandbox': ['node-image/src/sandbox/a.ts', `import { b } from '../watchdog/b.ts';`],
  'node-watchdog': ['node-image/src/watchdog/a.ts', `import { b } from '../config.ts';`],
  'node-admission': ['node-image/src/admission/a.ts', `import { b } from '../process/b.ts';`],
  'node-process': ['node-image/src/process/a.ts', `import { b } from '../modules/b.ts';`],
  'controller-server': ['controller/src/server/a.ts', `import { b } from '../cli/b.ts';`],
  'controller-commands': ['controller/src/commands/a.ts', `import { b } from '../server/b.ts';`],
  'controller-rollout': ['controller/src/rollout/a.ts', `import { b } from '../commands/b.ts';`],
  'controller-build': ['controller/src/build/child/a.ts', `import { b } from '../../fleet/b.ts';`],
  'controller-fleet': ['controller/src/fleet/a.ts', `import { b } from '../build/b.ts';`],
  'controller-backup': ['controller/src/backup/a.ts', `import { b } from '../rollout/b.ts';`],
  'controller-store': ['controller/src/store/a.ts', `import { b } from '../fleet/b.ts';`],
  'controller-api': ['controller/src/api/a.ts', `import { b } from '../commands/b.ts';`],
  'controller-cli': ['controller/src/cli/a.ts', `import { b } from '../commands/b.ts';`],
  'controller-nats-auth': ['controller/src/nats-auth/a.ts', `import { b } from '../services/keygen/b.ts';`],
  'controller-services': ['controller/src/services/roster/a.ts', `import { b } from '../../fleet/b.ts';`],
  'services-apart': ['controller/src/services/keygen/a.ts', `import { b } from '../roster/b.ts';`],
  'controller-main-without-services': ['controller/src/main.ts', `import { b } from './services/roster/b.ts';`],
  'only-build-imports-compilers': ['controller/src/rollout/c.ts', `import { b } from 'typescript/unstable/async';`],
  'only-roster-imports-dockerode': ['controller/src/fleet/c.ts', `import b from 'dockerode';`],
  'one-file-opens-the-nats-connection': [
    'node-image/src/cluster/c.ts',
    `import { connect as b } from '@nats-io/transport-node';`,
  ],
  'folder-size': ['docs/generate/a.ts', 'export const b = 1;'],
  'import(no-cycle)': ['demo/a.ts', `import type { b } from './b.ts';`],
} as const;

// The other forms of an import, all in the same forbidden direction.
const forms = {
  'import type': `import type { b } from '../cluster/b.ts'; export type T = typeof b;`,
  'an inline type import': `import { type b } from '../cluster/b.ts'; export type T = typeof b;`,
  'a re-export': `export { b } from '../cluster/b.ts';`,
  'a re-export of all': `export * from '../cluster/b.ts';`,
  'a re-export of a type': `export type { b } from '../cluster/b.ts';`,
  'import()': `export const b = import('../cluster/b.ts');`,
  'a type by import()': `export type T = import('../cluster/b.ts').b;`,
};

// Imports close to a forbidden one.
const allowed = {
  'node-image/src/main.ts': `import { b } from './cluster/b.ts';`,
  'node-image/src/cluster/d.ts': `import { createInbox as b } from '@nats-io/transport-node';`,
  'node-image/src/http/d.ts': `import { b } from '../modules/b.ts';`,
  'controller/src/commands/d.ts': `import { b } from '../fleet/b.ts';`,
  'controller/src/build/child/d.ts': `import { b } from '../b.ts';`,
  'controller/src/build/d.ts': `import { build as b } from 'esbuild';`,
  'controller/src/services/roster/d.ts': `import b from 'dockerode';`,
  'controller/src/services/keygen/d.ts': `import { b } from '../../nats-auth/b.ts';`,
  'shared/nats/connection.ts': `import { connect as b } from '@nats-io/transport-node';`,
  'bench/d.ts': `import { b } from '../node-image/src/cluster/b.ts';`,
  'test/d.ts': `import { b } from '../controller/src/fleet/b.ts';\nimport { b as c } from '../node-image/src/cluster/b.ts';\nexport { c };`,
};

const root = resolve(import.meta.dirname, '../..');
let project = '';
let found = new Map<string, string[]>();

async function write(path: string, text: string): Promise<void> {
  const file = join(project, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** Uses what a line imports, so that no other rule of the linter complains. */
function used(line: string): string {
  return line.startsWith('import') ? `${line}\nexport { b };\n` : `${line}\n`;
}

/** Runs the linter of this project, with its own configuration; gives the names of the broken rules for each file. */
async function lint(): Promise<Map<string, string[]>> {
  const output = await new Promise<string>(done => {
    const options = ['--config', join(root, '.oxlintrc.json'), '--format', 'unix'];
    execFile(join(root, 'node_modules/.bin/oxlint'), options, { cwd: project }, (_error, stdout) => done(stdout));
  });
  const rules = new Map<string, string[]>();
  for (const [, file = '', message = '', id = ''] of output.matchAll(/^(.+?):\d+:\d+: (.*) \[\w+\/(.*)\]$/gm)) {
    const rule = id.startsWith('layers(') ? (message.split(':')[0] ?? '') : id;
    rules.set(file, [...(rules.get(file) ?? []), rule]);
  }
  return rules;
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'hotcast-layers-'));
  for (const [file, line] of Object.values(broken)) await write(file, used(line));
  for (const [index, line] of Object.values(forms).entries()) await write(`node-image/src/modules/f${index}.ts`, line);
  for (const [file, line] of Object.entries(allowed)) await write(file, used(line));
  for (let index = 0; index < 20; index += 1)
    await write(`docs/generate/z${index}.ts${index % 2 === 0 ? '' : 'x'}`, 'export const b = 1;\n');
  await write('demo/b.ts', `import type { b } from './a.ts';\nexport type { b };\n`);
  found = await lint();
});

afterAll(() => rm(project, { recursive: true, force: true }));

describe('an import that breaks a rule is reported under the name of that rule', () => {
  test.each(Object.entries(broken))('%s', (rule, [file]) => {
    expect(found.get(file)).toEqual([rule]);
  });

  test('each rule has its case here', async () => {
    const rules = (await import(join(root, 'lint/rules.mjs'))) as { importRules: { name: string }[] };
    expect(Object.keys(broken)).toEqual(expect.arrayContaining(rules.importRules.map(({ name }) => name)));
  });
});

describe('every form of an import counts', () => {
  test.each(Object.keys(forms).map((form, index) => [form, index] as const))('%s', (_form, index) => {
    expect(found.get(`node-image/src/modules/f${index}.ts`)).toContain('node-modules');
  });
});

describe('what the layers allow is not reported', () => {
  test.each(Object.keys(allowed))('%s', file => {
    expect(found.get(file)).toBeUndefined();
  });
});
