import { describe, expect, it } from 'vitest';

import { filesIn, folders, run } from './surroundings.ts';

const folder = folders();

/** A package.json that no program has written. */
const PACKAGE_JSON = `{
    "name": "@acme/shop", "version": "2.1.0",
    "files": ["dist", "public"],
    "scripts": { "start": "node server.js",
        "test": "node --test" },
    "dependencies": {
        "express": "^5.1.0"
    }
}`;

const ADD = ['--add', '--yes'] as const;

const CREATED = [
  '.github/workflows/hotcast.yml',
  'compose.yaml',
  'fleet-tests/counter.ts',
  'fleet-tests/fleet.ts',
  'hotcast.env',
  'modules/counter.ts',
  'modules/demo.ts',
  'modules/tsconfig.json',
  'vitest.fleet.config.ts',
];

describe('an addition to a repository', () => {
  it('names all that it changes, and asks first', async () => {
    const before = { 'package.json': PACKAGE_JSON, 'server.js': '// mine' };
    const refused = await run(folder(before), ['--add', '--cookie', 'quarry', '--template', 'minimal'], {
      answers: [false],
    });
    expect(refused.asked).toEqual(['Make these changes?']);
    expect(refused.files).toEqual(before);
    expect(refused.installed).toEqual([]);
    const { said, files, installed } = await run(folder(before), ['--add', '--yes']);
    const created = Object.keys(files).filter(path => !(path in before));
    expect(created).toEqual(CREATED);
    for (const path of created) expect(said).toContain(`  ${path}\n`);
    const added = JSON.parse(files['package.json'] ?? '') as Record<string, Record<string, string>>;
    for (const name of Object.keys({ ...added['scripts'], ...added['devDependencies'] })) {
      if (!PACKAGE_JSON.includes(`"${name}"`)) expect(said).toContain(`"${name}": `);
    }
    expect(files['server.js']).toBe('// mine');
    expect(installed).toEqual(['npm install in .']);
    expect(said).toContain('npm run fleet:up');
  });

  it('leaves what is in package.json as it is, to the byte', async () => {
    const { files } = await run(folder({ 'package.json': PACKAGE_JSON }), ['--add', '--yes']);
    const edited = files['package.json'] ?? '';
    for (const part of [
      '"name": "@acme/shop", "version": "2.1.0",',
      '"files": ["dist", "public"],',
      '"start": "node server.js",\n        "test": "node --test"',
    ]) {
      expect(edited).toContain(part);
    }
    expect(edited).toMatch(/\n {4}"devDependencies": \{\n {8}"@hotcast\/testing"/);
    expect(edited.endsWith('}')).toBe(true);
    const windows = PACKAGE_JSON.replaceAll('\n', '\r\n');
    const { files: other } = await run(folder({ 'package.json': windows }), ['--add', '--yes']);
    expect(other['package.json']).not.toMatch(/[^\r]\n/);
  });

  it('replaces no file, and says what to add to those that exist', async () => {
    const before = {
      'package.json': JSON.stringify({
        name: 'shop',
        scripts: { 'fleet:up': 'rm -rf /' },
        devDependencies: { vitest: '^2' },
      }),
      'docker-compose.yml': 'services:\n  db:\n    image: postgres:17\n',
      'hotcast.env': 'HTTP_PORT=9000\n',
      'modules/demo.ts': 'export const demo = 1;\n',
      'modules/legacy.js': '',
    };
    const { said, files } = await run(folder(before), ['--add', '--yes']);
    for (const [path, text] of Object.entries(before)) if (path !== 'package.json') expect(files[path]).toBe(text);
    expect(Object.keys(files)).not.toContain('compose.yaml');
    const byHand = said.slice(said.indexOf('To add by hand'), said.indexOf('Next:'));
    expect(byHand).toContain(
      'docker-compose.yml: \n      include:\n        - path: node_modules/hotcast/compose.yaml\n',
    );
    expect(byHand).toContain('networks: [default, cluster]');
    // It is the first thing to do, below what npm prints.
    const next = said.slice(said.indexOf('Next:'));
    expect(next).toMatch(/^Next:\n {2}by hand, in docker-compose\.yml: \n {6}include:\n/);
    expect(next.indexOf('include:')).toBeLessThan(next.indexOf('npx hotcast push'));
    expect(byHand).toContain('COOKIE=shop');
    expect(byHand).toContain('modules/demo.ts: ');
    expect(byHand).toContain('modules: legacy.js: Hotcast takes what is in this folder for modules');
    expect(byHand).toContain('package.json: a script that runs: docker compose up');
    expect(JSON.parse(files['package.json'] ?? '')).toMatchObject({
      scripts: { 'fleet:up': 'rm -rf /' },
      devDependencies: { vitest: '^2' },
    });
  });

  it('names the compose file that is there, also in hotcast.env', async () => {
    const { files } = await run(folder({ 'package.json': PACKAGE_JSON, 'docker-compose.yml': 'services: {}\n' }), ADD);
    expect(files['hotcast.env']).toMatch(/^# Settings of Hotcast, for docker-compose\.yml\./);
  });

  it('changes nothing the second time', async () => {
    const where = folder({ 'package.json': PACKAGE_JSON, 'compose.yml': 'services: {}\n' });
    await run(where, ['--add', '--yes']);
    const once = filesIn(where);
    const { said, files, installed } = await run(where, ['--add', '--yes']);
    expect(files).toEqual(once);
    expect(installed).toEqual([]);
    expect(said).toContain('Everything else is there.');
    // What was to be done by hand is asked for until it is done.
    expect(said).toContain('compose.yml: ');
  });

  it('needs a package.json, and a terminal or --yes', async () => {
    await expect(run(folder(), ['--add', '--yes'])).rejects.toThrow('package.json');
    await expect(run(folder({ 'package.json': '[]' }), ['--add', '--yes'])).rejects.toThrow('no JSON object');
    const where = folder({ 'package.json': PACKAGE_JSON });
    await expect(run(where, ['--add'])).rejects.toThrow('--yes');
    expect(filesIn(where)).toEqual({ 'package.json': PACKAGE_JSON });
  });

  it.for([
    ['pnpm-lock.yaml', 'pnpm install in .', 'pnpm run fleet:check'],
    ['yarn.lock', 'yarn install in .', 'yarn run fleet:check'],
    ['package-lock.json', 'npm install in .', 'npm run fleet:check'],
  ])('takes the package manager of %s', async ([file = '', install, check]) => {
    const where = folder({ 'package.json': PACKAGE_JSON, [file]: '' });
    const { installed, files } = await run(where, ['--add', '--yes'], { userAgent: 'npm/11.0.0 node/v24.0.0' });
    expect(installed).toEqual([install]);
    expect(files['.github/workflows/hotcast.yml']).toContain(`- run: ${check}\n`);
  });
});
