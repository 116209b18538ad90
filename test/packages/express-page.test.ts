import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { freePort } from '../support/free-port.ts';
import { TEST_PROJECT } from '../support/docker/compose-project.ts';
import { removeProject } from '../support/docker/cleanup.ts';
import { ROOT, run } from '../support/shell.ts';
import { blocksOf, readPage } from '../unit/docs/pages.ts';

const blocks = blocksOf(readPage('docs/express.md'));
const commands = blocks.filter(({ language }) => language === 'sh').map(({ lines }) => lines.join('\n'));
const code = blocks.find(({ language }) => language === 'js')?.lines.join('\n') ?? '';
/** The `tsconfig.json` that the page refers to. */
const tsconfig = blocksOf(readPage('docs/modules.md'))
  .find(({ language }) => language === 'json')
  ?.lines.join('\n');

/** The block that starts the cluster, in two parts: the first prints an address. */
const [UP, PUSH_AND_CALL] = (commands[3] ?? '').split(/(?<=up NODES=3)\n/);

/** The page without what is different on each machine, or takes long. */
const folder = mkdtempSync(join(tmpdir(), 'hotcast-test-service-'));
const replaced = new Map([
  ['$HOME/hotcast', ROOT],
  ['WATCH=30s', 'WATCH=5s'],
]);
const env = { HOTCAST_PROJECT: TEST_PROJECT, COOKIE: 'quarry', HTTP_PORT: '0', CONSOLE_PORT: '0' };

/** Runs a block of commands of the page, or a part of it, in the folder of the service, with what the blocks before it export. */
async function runBlock(index: number, part = commands[index]): Promise<string> {
  const before = commands.slice(0, index).flatMap(text => text.match(/^export .*$/gm) ?? []);
  let script = ['set -e', 'cd "$0"', ...before, part ?? 'exit 9'].join('\n');
  for (const [text, here] of replaced) script = script.replaceAll(text, here);
  const { exitCode, stdout, stderr } = await run('bash', ['-c', script, folder], env);
  expect(exitCode, `${script}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

const file = join(folder, 'modules/shop/index.ts');

function edit(from: string, to: string): void {
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
}

const push = () => run('make', ['push', 'MODULE=shop'], { ...env, MODULES_DIR: join(folder, 'modules') });

/** What the service answers, and which node. */
async function answer(path = '/shop/') {
  const response = await fetch(`http://${replaced.get('127.0.0.1:8080')}${path}`);
  const body = (await response.json()) as { sold: number; database: string; signedIn: boolean };
  return { node: response.headers.get('hotcast-node'), ...body };
}

/** Starts what has changed, and finds the address that it prints. */
async function up(): Promise<void> {
  const output = await runBlock(3, UP);
  replaced.set('127.0.0.1:8080', /served at http:\/\/(\S+)\//.exec(output)?.[1] ?? '');
}

/** The next answer of one node. */
async function answerOf(node: string | null) {
  for (let tries = 0; tries < 50; tries += 1) {
    const given = await answer();
    if (given.node === node) return given;
  }
  throw new Error(`${node} gives no answer`);
}

describe.runIf(['', 'ci'].includes(process.env['ONLY'] ?? ''))('docs/express.md', { timeout: 300_000 }, () => {
  beforeAll(() => chmodSync(folder, 0o755));
  afterAll(async () => {
    await removeProject(TEST_PROJECT);
    rmSync(folder, { recursive: true });
    rmSync(join(ROOT, `.cache/built-${TEST_PROJECT}`), { force: true });
  });

  it('installs what the service needs, and starts, pushes and calls it', async () => {
    await runBlock(1);
    await run('mkdir', [join(folder, 'modules/shop')], {});
    writeFileSync(join(folder, 'modules/tsconfig.json'), tsconfig ?? '');
    writeFileSync(file, code);
    await runBlock(2);
    await up();
    const output = await runBlock(3, PUSH_AND_CALL);
    expect(output).toContain('3 loaded');
    expect(output).toContain('{"sold":1,"database":"postgres://db/shop","signedIn":true}');
  });

  it('keeps what the page says that survives a push', async () => {
    const { node, sold } = await answer();
    edit('data.sold += 1', 'data.sold += 10');
    expect(await push()).toMatchObject({ exitCode: 0 });
    expect((await answerOf(node)).sold % 10).toBe(sold % 10);
  });

  it('tries, watches and rolls back an edit', async () => {
    edit('data.sold += 10', 'data.sold += 100');
    const stopped = new AbortController();
    const traffic = (async () => {
      while (!stopped.signal.aborted) await answer().then(() => sleep(50));
    })();
    const output = await runBlock(4).finally(() => stopped.abort());
    await traffic;
    expect(output).toMatch(/would load/);
    expect(output).toMatch(/passed/);
    const { node, sold } = await answer();
    expect((await answerOf(node)).sold).toBe(sold + 10);
  });

  it('has a changed secret after its next push, and a changed environment after make up', async () => {
    writeFileSync(join(folder, 'secrets/password'), 'dabba\n');
    edit(`password !== ''`, `password === 'dabba'`);
    expect(await push()).toMatchObject({ exitCode: 0 });
    expect(await answer()).toMatchObject({ database: 'postgres://db/shop', signedIn: true });
    writeFileSync(join(folder, 'service.env'), `DATABASE_URL='postgres://db/other'\n`);
    await up();
    expect(await answer()).toMatchObject({ database: 'postgres://db/other', signedIn: true });
  });

  it('serves a port of its own', async () => {
    const port = await freePort();
    replaced.set('3000', String(port));
    edit('export default app', `app.listen(${port});\nexport default app`);
    await runBlock(5);
    expect(await push()).toMatchObject({ exitCode: 0 });
    const get = async () => fetch(`http://127.0.0.1:${port}/`).then(response => response.json(), String);
    await expect.poll(get, { timeout: 20_000 }).toMatchObject({ signedIn: true });
  });
});
