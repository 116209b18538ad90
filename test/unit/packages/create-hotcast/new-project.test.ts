import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { readOptions, TEMPLATES } from '../../../../packages/create-hotcast/src/options.ts';
import { projectNameOf } from '../../../../packages/create-hotcast/src/names.ts';
import { ROOT } from '../../../support/shell.ts';
import { folders, run } from './surroundings.ts';

const folder = folders();

const packageJsonOf = (path: string) =>
  JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;

describe('a new project', () => {
  it('has the files that its README names, and nothing else', async () => {
    const { files, said, installed } = await run(folder(), ['my-fleet']);
    expect(Object.keys(files)).toEqual(
      [
        '.github/workflows/ci.yml',
        '.gitignore',
        'README.md',
        'compose.yaml',
        'hotcast.env',
        'modules/counter.ts',
        'modules/demo.ts',
        'package.json',
        'test/counter.test.ts',
        'test/fleet.test.ts',
        'tsconfig.json',
        'vitest.config.ts',
      ].map(path => `my-fleet/${path}`),
    );
    const named = [...(files['my-fleet/README.md'] ?? '').matchAll(/^\| `([^`]+)`/gm)].map(([, path = '']) => path);
    for (const path of named)
      expect(
        Object.keys(files).some(each => each.startsWith(`my-fleet/${path}`)),
        path,
      ).toBe(true);
    expect(installed).toEqual(['npm install in my-fleet']);
    expect(said).toBe(
      [
        'Next:',
        '  cd my-fleet',
        '  npm run up',
        '  npx hotcast push demo counter',
        "  npx hotcast call 'demo.add(4, 5)'",
      ].join('\n'),
    );
  });

  it.for(Object.keys(TEMPLATES))('replaces every name in the template %s', async template => {
    const { files } = await run(folder(), ['rubble', '--template', template, '--cookie', 'quarry']);
    for (const [path, text] of Object.entries(files)) expect(text, path).not.toMatch(/\{\{|\{ \{/);
    expect(files['rubble/compose.yaml']).toContain("name: 'rubble'");
    expect(files['rubble/hotcast.env']).toContain('COOKIE=quarry\n');
    const { name, scripts } = JSON.parse(files['rubble/package.json'] ?? '') as Record<string, unknown>;
    expect(name).toBe('rubble');
    expect(Object.keys(scripts ?? {})).toEqual(['up', 'down', 'push', 'dev', 'test', 'test:unit', 'check']);
  });

  it('starts one node for a game, whose players all have to meet, and three for the others', async () => {
    const scripts = Object.keys(TEMPLATES).map(async template => {
      const { files } = await run(folder(), ['rubble', '--template', template]);
      return /--scale node=\d/.exec(files['rubble/package.json'] ?? '')?.[0];
    });
    expect(await Promise.all(scripts)).toEqual(['--scale node=3', '--scale node=3', '--scale node=1']);
  });

  it('takes the versions that this repository is tested with', async () => {
    const own = [packageJsonOf('package.json'), packageJsonOf('modules/package.json')];
    const tested = Object.assign({}, ...own.flatMap(each => [each.dependencies, each.devDependencies])) as Record<
      string,
      string
    >;
    const { files } = await run(folder(), ['rubble', '--template', 'http']);
    const { dependencies, devDependencies } = JSON.parse(files['rubble/package.json'] ?? '') as ReturnType<
      typeof packageJsonOf
    >;
    const { version } = packageJsonOf('package.json') as unknown as { readonly version: string };
    expect({ ...dependencies, ...devDependencies }).toEqual({
      hono: `^${tested['hono']}`,
      hotcast: version,
      '@hotcast/testing': version,
      '@types/node': `^${tested['@types/node']}`,
      typescript: `^${tested['typescript']}`,
      vitest: `^${tested['vitest']}`,
    });
  });

  it('asks for a name, a cookie and a template, and for nothing that an option says', async () => {
    const all = await run(folder(), [], { answers: ['rubble', 'quarry', 'http'] });
    expect(all.asked).toEqual(['Name', "Cookie, the cluster's name and address", 'Template']);
    expect(all.files['rubble/hotcast.env']).toContain('COOKIE=quarry\n');
    expect(Object.keys(all.files)).toContain('rubble/modules/api.ts');
    const one = await run(folder(), ['rubble', '--cookie', 'quarry'], { answers: ['websocket-game'] });
    expect(one.asked).toEqual(['Template']);
    expect(await run(folder(), ['rubble', '--yes'], { answers: [] })).toMatchObject({ asked: [] });
  });

  it('asks nothing without a terminal, and says which argument is missing', async () => {
    await expect(run(folder(), [])).rejects.toThrow('npm create hotcast my-fleet');
    const { files } = await run(folder(), ['rubble']);
    expect(files['rubble/hotcast.env']).toContain('COOKIE=rubble\n');
  });

  it('is not made in a folder that is not empty', async () => {
    const taken = folder({ 'rubble/notes.txt': 'mine' });
    await expect(run(taken, ['rubble'])).rejects.toThrow('--add');
    const empty = folder({});
    await run(empty, ['rubble']);
    await expect(run(empty, ['rubble'])).rejects.toThrow('not empty');
    await expect(run(folder({ rubble: 'a file' }), ['rubble'])).rejects.toThrow('rubble exists and is not a folder');
  });

  it('is there when its packages could not be installed, and the error says what to run', async () => {
    const where = folder();
    await expect(run(where, ['rubble'], { installs: false })).rejects.toThrow('`npm install` failed');
    expect(await run(folder(), ['rubble', '--no-install'])).toMatchObject({
      installed: [],
      said: expect.stringContaining('npm install') as string,
    });
  });

  it.for([
    [
      'npm/11.4.2 node/v24.0.0 linux x64 workspaces/false',
      'npm install',
      'npm run up',
      'npx hotcast',
      'npm ci',
      'npm run check',
    ],
    [
      'pnpm/10.1.0 npm/? node/v24.0.0 linux x64',
      'pnpm install',
      'pnpm run up',
      'pnpm exec hotcast',
      'pnpm install --frozen-lockfile',
      'pnpm run check',
    ],
    [
      'yarn/4.9.0 npm/? node/v24.0.0 linux x64',
      'yarn install',
      'yarn run up',
      'yarn run hotcast',
      'yarn install --immutable',
      'yarn run check',
    ],
  ])('speaks to the package manager that runs it: %s', async ([userAgent = '', install, up, hotcast, ci, check]) => {
    const { files, said, installed } = await run(folder(), ['rubble'], { userAgent });
    expect(installed).toEqual([`${install} in rubble`]);
    expect(said).toContain(`  ${up}\n  ${hotcast} push`);
    expect(files['rubble/README.md']).toContain(`${hotcast} push demo counter\n`);
    expect(files['rubble/.github/workflows/ci.yml']).toMatch(new RegExp(`- run: ${ci}\n[^]*- run: ${check}\n`));
    // Hotcast's compose file is in node_modules, which Yarn does not make by itself.
    expect('rubble/.yarnrc.yml' in files).toBe(userAgent.startsWith('yarn'));
  });
});

describe('the command line', () => {
  it.for(['My-Fleet', '../fleet', '.fleet', '-fleet', '', 'a b', '@me/fleet', 'f'.repeat(64)])(
    'refuses the name %j',
    name => {
      expect(() => readOptions(['--', name])).toThrow('is no name');
    },
  );

  it.for(['.', './'])('says of the folder %j what takes an existing one', name => {
    expect(() => readOptions([name])).toThrow(/an existing repository takes --add$/);
  });

  it('refuses what is no cookie, no template, no option, or one name too many', () => {
    expect(() => readOptions(['rubble', '--cookie', 'a.b'])).toThrow("--cookie 'a.b' is no cookie");
    expect(() => readOptions(['rubble', '--template', 'constructor'])).toThrow('minimal, http, websocket-game');
    expect(() => readOptions(['rubble', '--verbose'])).toThrow("Unknown option '--verbose'; --help lists the options");
    expect(() => readOptions(['rubble', '--cookie'])).toThrow('--help');
    expect(() => readOptions(['rubble', 'quarry'])).toThrow('one name is enough');
    expect(() => readOptions(['rubble', '--add'])).toThrow('--add takes no name');
  });

  it('makes a name of that of a folder or a package', () => {
    expect(['/srv/My Shop', '@acme/shop', '.config', '???', 'x'.repeat(80)].map(projectNameOf)).toEqual([
      'my-shop',
      'shop',
      'config',
      'my-fleet',
      'x'.repeat(63),
    ]);
  });
});
