import { randomUUID } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runLine } from '../../../packages/hotcast/src/remote/remote-line.ts';
import { encode } from '../../../protocol/codec.ts';
import { operatorInbox } from '../../../protocol/inboxes.ts';
import type { Credentials } from '../../../protocol/operators/credentials.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { COOKIE, OperatorStand, type Printed } from '../../support/operators/operator-stand.ts';
import { ROOT, run } from '../../support/shell.ts';

let stand: OperatorStand;
let ci: Credentials;
let project: string;

const push = (...args: string[]): Promise<Printed> =>
  stand.remote(ci, 'push', '--no-check', '--project-directory', project, ...args);

const call = async (text: string): Promise<string> => (await stand.local('call', text, '--node', 'fred')).stdout.trim();

beforeAll(async () => {
  const bundled = await run('npm', ['run', 'bundle', '-w', 'packages/hotcast'], {});
  expect(bundled.exitCode, bundled.stderr).toBe(0);
  stand = await OperatorStand.start();
  ci = await stand.add('ci', ['push', 'rollback']);
  project = stand.project('laptop', {
    'hotcast.config.ts': `export default { modules: 'src/hot', groups: {} };`,
    'src/hot/greet.ts': `import { name } from '../name.ts';\nexport const hello = (): string => 'hello ' + name;\n`,
    'src/hot/count.ts': `import { twice } from 'tiny';\nexport const four = (): number => twice(2);\n`,
    'src/name.ts': `export const name = 'fred';\n`,
    'node_modules/tiny/package.json': `{ "name": "tiny", "version": "1.2.3", "main": "lib/index.js", "dependencies": { "@small/add": "*" } }`,
    'node_modules/tiny/lib/index.js': `const { add } = require('@small/add'); exports.twice = n => add(n, n);`,
    'node_modules/@small/add/package.json': `{ "name": "@small/add", "version": "1.0.0", "type": "commonjs" }`,
    'node_modules/@small/add/index.js': `exports.add = (a, b) => a + b;`,
  });
});
afterAll(() => stand?.[Symbol.asyncDispose]());

describe('a push from afar', () => {
  it('compiles where the sources are, and runs on every node', async () => {
    const { status, stdout, stderr } = await push('greet');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/fred/);
    expect(await call('greet.hello()')).toBe(`'hello fred'`);
    const { stdout: history } = await stand.local('history', 'greet', '--json');
    expect(JSON.parse(history)).toMatchObject({ heads: [{ author: 'ci' }] });
  });

  it('sends packages too, once', async () => {
    expect(await push('count')).toMatchObject({ status: 0, stderr: '' });
    expect(await call('count.four()')).toBe('4');
  });

  it('knows what is affected by an edit of a file that a module imports', async () => {
    expect(await push('--affected')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('as they were pushed'),
    });
    stand.project('laptop', { 'src/name.ts': `export const name = 'wilma';\n` });
    expect(await push('--affected')).toMatchObject({ status: 0, stdout: expect.stringContaining('greet') });
    expect(await call('greet.hello()')).toBe(`'hello wilma'`);
  });

  it('shows errors of the compiler and of types with file, line and caret', async () => {
    stand.project('laptop', {
      'src/hot/typed.ts': `export const four = (): number => 'four';\n`,
      'src/hot/broken.ts': `export const four = = 4;\n`,
    });
    const typed = await stand.remote(ci, 'push', '--project-directory', project, 'typed');
    expect(typed.stderr).toContain('src/hot/typed.ts:1:35: ');
    expect(typed).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/nothing was sent/) });
    // It knows the types of import.meta.hot and of hot: imports.
    stand.project('laptop', {
      'src/hot/seen.ts':
        `import { hello } from 'hot:greet';\n` +
        `export const seen = (): string => String((import.meta.hot.data['n'] = 1)) + hello();\n`,
    });
    expect(await stand.remote(ci, 'push', '--project-directory', project, 'seen')).toMatchObject({
      stderr: '',
      status: 0,
    });
    const broken = await push('broken');
    expect(broken).toMatchObject({ status: 2, stderr: expect.stringContaining('src/hot/broken.ts:1:') });
  });

  it('says which compilers to install where there are none; nothing else needs them', async () => {
    const alone = join(stand.folder, 'alone/dist');
    cpSync(join(ROOT, 'packages/hotcast/dist'), alone, { recursive: true });
    const remote = (...args: string[]) =>
      run(process.execPath, [join(alone, 'hotcast.cjs'), ...args], stand.laptop(ci));
    expect(await remote('ping')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await remote('push', 'greet', '--project-directory', project)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^hotcast: .*there is no esbuild: npm install --save-dev esbuild@.*; nothing was sent\n$/,
      ),
    });
  });

  it('is refused by the preflight of the controller, before any node hears of it', async () => {
    stand.project('laptop', { 'src/hot/bad.ts': `export const one = 1;\nthrow new Error('not today');\n` });
    expect(await push('bad')).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/bad was refused before it was sent: Error: not today \(src\/hot\/bad\.ts:2:\d+\)/),
    });
  });

  it('goes back by the same operator, if it may', async () => {
    const reader = await stand.add('reader', []);
    expect(await stand.remote(reader, 'rollback', 'greet')).toMatchObject({ status: 2 });
    expect(await call('greet.hello()')).toBe(`'hello wilma'`);
    expect(await stand.remote(ci, 'rollback', 'greet')).toMatchObject({ status: 0, stderr: '' });
    expect(await call('greet.hello()')).toBe(`'hello fred'`);
  });

  it('is looked up when its controller ends meanwhile', async () => {
    stand.project('laptop', { 'src/hot/slow.ts': `export const one = 1;\n` });
    const pushing = push('slow', '--canary', '1', '--watch', '60s');
    await expect.poll(async () => (await stand.local('history', 'slow', '--json')).stdout).toContain('"canary":{');
    await stand.stopController();
    await stand.startController();
    const { status, stderr } = await pushing;
    expect(stderr).toMatch(/looking up what came of it/);
    expect(status).toBe(0);
  });

  it('is lost at once when its controller is killed: NATS says that nobody hears its session', async () => {
    await stand.stopController();
    await using nats = await stand.connectAsTester(operatorInbox('ci'));
    nats.subscribe(subjectsOf(COOKIE).operators, {
      callback: (_, message) => void message.respond(encode({ status: 'open', session: randomUUID() })),
    });
    const startedAt = performance.now();
    const ended = await runLine(nats, ci, {
      args: ['ping'],
      env: {},
      isTerminal: false,
      print: () => undefined,
      answer: () => Promise.reject(new Error('no sources')),
      signal: new AbortController().signal,
    });
    expect(ended).toBeNull();
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    await stand.startController();
  });

  it('ends with Ctrl+C, and says what holds', async () => {
    const { status, stderr, stdout } = await stand.interrupted(
      ci,
      'push',
      '--no-check',
      '--force',
      '--project-directory',
      project,
      'greet',
      '--canary',
      '1',
      '--watch',
      '60s',
    );
    expect({ status, text: stderr + stdout }).toEqual({ status: 130, text: expect.stringMatching(/interrupted: /) });
  });
});
