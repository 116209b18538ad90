import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, describe, expect, it } from 'vitest';

import { freePort } from '../support/free-port.ts';
import { blocksOf, readPage } from '../unit/docs/pages.ts';
import { Project } from './project.ts';

const blocks = blocksOf(readPage('docs/express.md'));
const [add = [], environment = [], start = [], safely = [], port = []] = blocks
  .filter(({ language }) => language === 'sh')
  .map(({ lines }) => lines.filter(line => line !== ''));
const [named = '', ...code] = blocks.find(({ language }) => language === 'js')?.lines ?? [];

/** The service before it is moved. */
const SERVICE = {
  'package.json': '{ "name": "shop", "private": true, "dependencies": { "express": "5.2.1" } }\n',
  'server.js': `const app = require('express')();\n\napp.listen(process.env.PORT);\n`,
};

/** What the page has that takes long, needs a terminal, or is different on each machine. */
const replaced = new Map([
  ['-- --add', '-- --add --yes'],
  ['--watch 30s', '--watch 5s'],
]);

describe('docs/express.md, in a service that has only the packed packages', { timeout: 600_000 }, () => {
  const project = new Project('shop');
  afterAll(() => project[Symbol.asyncDispose]());

  /** Runs lines of the page. */
  const run = (lines: readonly string[]): Promise<string> =>
    project.sh(lines.map(line => [...replaced].reduce((text, [from, to]) => text.replace(from, to), line)));

  const edit = (from: string, to: string): void =>
    project.edit('modules/shop.js', text => {
      expect(text).toContain(from);
      return text.replace(from, to);
    });

  const push = (): Promise<string> => project.sh('npm run fleet:push -- shop');

  /** What the service answers, and which node. */
  async function answer(url: string | null = null) {
    const response = await fetch(url ?? (await project.url('/shop/')));
    const body = (await response.json()) as { sold: number; database: string; signedIn: boolean };
    return { node: response.headers.get('hotcast-node'), ...body };
  }

  /** The next answer of one node. */
  async function answerOf(node: string | null) {
    for (let tries = 0; tries < 50; tries += 1) {
      const given = await answer();
      if (given.node === node) return given;
    }
    throw new Error(`${node} gives no answer`);
  }

  it('adds Hotcast, and starts, pushes and calls the service', async () => {
    mkdirSync(project.folder);
    for (const [path, text] of Object.entries(SERVICE)) project.write(path, text);
    await run(add);
    expect(named).toBe('// modules/shop.js');
    project.write('modules/shop.js', code.join('\n'));
    await run(environment);
    await run(start.slice(0, 2));
    replaced.set('http://127.0.0.1:8080/', await project.url('/'));
    expect(start).toHaveLength(3);
    expect(await run(start.slice(2))).toBe('{"sold":1,"database":"postgres://db/shop","signedIn":true}');
  });

  it('keeps what the page says that survives a push', async () => {
    const { node, sold } = await answer();
    edit('data.sold += 1', 'data.sold += 10');
    await push();
    expect((await answerOf(node)).sold % 10).toBe(sold % 10);
  });

  it('tries, watches and rolls back an edit', async () => {
    edit('data.sold += 10', 'data.sold += 100');
    const stopped = new AbortController();
    const url = await project.url('/shop/');
    const traffic = (async () => {
      while (!stopped.signal.aborted) await answer(url).then(() => sleep(50));
    })();
    const output = await run(safely).finally(() => stopped.abort());
    await traffic;
    expect(output).toMatch(/would load/);
    expect(output).toMatch(/passed/);
    const { node, sold } = await answer();
    expect((await answerOf(node)).sold).toBe(sold + 10);
  });

  it('has a changed secret after its next push, and a changed environment in new containers', async () => {
    project.write('secrets/password', 'dabba\n');
    edit(`password !== ''`, `password === 'dabba'`);
    await push();
    expect(await answer()).toMatchObject({ database: 'postgres://db/shop', signedIn: true });
    project.write('service.env', `DATABASE_URL='postgres://db/other'\n`);
    await run(start.slice(0, 1));
    await expect
      .poll(() => answer().catch(String), { timeout: 60_000 })
      .toMatchObject({ database: 'postgres://db/other', signedIn: true });
  });

  it('serves a port of its own', async () => {
    const own = await freePort();
    replaced.set('3000', String(own));
    edit('export default app', `app.listen(${own});\nexport default app`);
    await run(port);
    await push();
    const get = async () => fetch(`http://127.0.0.1:${own}/`).then(response => response.json(), String);
    await expect.poll(get, { timeout: 30_000 }).toMatchObject({ signedIn: true });
    await project.sh('npm run fleet:down');
  });
});
