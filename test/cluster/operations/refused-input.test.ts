import { randomBytes } from 'node:crypto';

import { describe, expect } from 'vitest';

import { MODULE_RULE } from '../../../protocol/names.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';

const it = clusterTest({ nodes: 2 }).extend('loaded', { scope: 'file' }, async ({ cluster }) => {
  cluster.writeModule('both', 'export const one = () => 1;\n');
  cluster.writeFile('both/index.ts', 'export const two = () => 2;\n');
  cluster.writeModule('empty', '');
  cluster.writeModule('silent', `console.log('no exports here');\n`);
  const noise = randomBytes(12 * 1024 * 1024).toString('base64');
  cluster.writeModule('huge', `export const noise = '${noise}';\n`);
  await cluster.push('demo');
  await cluster.push('counter');
  return cluster.revisions();
});

/** The arguments of a command, and its error message. */
type Case = readonly [args: readonly string[], message: string | RegExp];

const RULE = `it must be ${MODULE_RULE}`;
const LITERALS = `write values such as 'x', [1], { a: 10n }, undefined`;
const DIGITS = '9007199254740993 loses digits as a number: write 9007199254740993n';
const KNOWN = 'nodes here: fred, bambam';

const MODULES: readonly Case[] = [
  [['push', 'nosuch'], /^hotcast: there is no modules\/nosuch\.ts .*; modules here: [a-z, -]*\bhuge\b[a-z, -]*\n$/],
  [['compile', 'nosuch', '--node', 'fred'], /^hotcast: there is no modules\/nosuch\.ts .*; modules here: .*\n$/],
  [['push', 'Demo'], `hotcast: "Demo" is not a module name: ${RULE}\n`],
  [['push', 'demo.ts'], `hotcast: "demo.ts" is not a module name: ${RULE}\n`],
  [['push', '../x'], `hotcast: "../x" is not a module name: ${RULE}\n`],
  [['push', ''], `hotcast: "" is not a module name: ${RULE}\n`],
  [['push', 'a/b'], `hotcast: "a/b" is not a module name: ${RULE}\n`],
  [['push', 'demo', 'Demo'], `hotcast: "Demo" is not a module name: ${RULE}\n`],
  [['push', 'demo', 'demo'], 'hotcast: a module is named twice\n'],
  [['compile', '../x', '--node', 'fred'], `hotcast: "../x" is not a module name: ${RULE}\n`],
  [['rollback', '*'], `hotcast: "*" is not a module name: ${RULE}\n`],
  [['rollback', 'demo', 'demo'], 'hotcast: a module is named twice\n'],
  [['promote', '../x'], `hotcast: "../x" is not a module name: ${RULE}\n`],
  [['remove', '>'], `hotcast: ">" is not a module name: ${RULE}\n`],
  [['purge', '*'], `hotcast: "*" is not a module name: ${RULE}\n`],
  [['soft-purge', 'Demo'], `hotcast: "Demo" is not a module name: ${RULE}\n`],
  [['history', ''], `hotcast: "" is not a module name: ${RULE}\n`],
  [['rollback', 'nosuch'], 'hotcast: nosuch was never pushed, so there is nothing to go back to\n'],
  [['promote', 'nosuch'], /^hotcast: nosuch has no canary to promote .*\n$/],
  [['remove', 'nosuch'], 'hotcast: nosuch is not deployed, so there is nothing to remove\n'],
  [['remove', 'nosuch', '--state'], 'hotcast: nosuch was never pushed, so it has no state to clear\n'],
  [['purge', 'nosuch'], 'hotcast: nosuch was never pushed, so there is nothing to purge\n'],
  [['soft-purge', 'nosuch'], 'hotcast: nosuch was never pushed, so there is nothing to purge\n'],
  [['history', 'nosuch'], 'hotcast: nosuch was never pushed, so it has no history\n'],
  [['push', 'both'], 'hotcast: there are both modules/both.ts and modules/both/index.ts: remove one\n'],
  [['push', 'empty'], 'hotcast: modules/empty.ts exports nothing: export at least one function\n'],
  [['push', 'silent'], 'hotcast: modules/silent.ts exports nothing: export at least one function\n'],
  [
    ['push', 'huge'],
    /^hotcast: huge has 16\.0 MiB of code .*, the limit is 2\.0 MiB \(MODULE_MAX_MB\): .*; nothing was sent\n$/,
  ],
];

const CALLS: readonly Case[] = [
  [['call', 'add'], `hotcast: "add" is no call: write it as 'demo.add(4, 5)'\n`],
  [['call', 'demo.add(4, 5'], `hotcast: "demo.add(4, 5" is no call: write it as 'demo.add(4, 5)'\n`],
  [['call', 'Demo.add(4, 5)'], `hotcast: "Demo.add(4, 5)" is no call: write it as 'demo.add(4, 5)'\n`],
  [['call', ''], `hotcast: "" is no call: write it as 'demo.add(4, 5)'\n`],
  [['call', 'demo.add(four)'], `hotcast: an argument can not be read: four is no literal: ${LITERALS}\n`],
  [['call', 'demo.add(9007199254740993)'], `hotcast: an argument can not be read: ${DIGITS}\n`],
];

const NODES: readonly Case[] = [
  [['call', 'demo.add(4, 5)', '--node', 'dino'], `hotcast: there is no node "dino"; ${KNOWN}\n`],
  [['ping', 'dino'], `hotcast: there is no node "dino"; ${KNOWN}\n`],
  [['compile', 'demo', '--node', 'dino'], `hotcast: there is no node "dino"; ${KNOWN}\n`],
  [
    ['nodes', '--wait', '3', '--timeout', '3'],
    'hotcast: only 2 of 3 nodes came up in time (see: docker compose logs)\n',
  ],
];

const OTHER_COOKIE = 'hotcast: this controller does not have the cookie "other"; nothing was sent\n';

const COOKIES: readonly Case[] = [
  [['push', 'demo', '--cookie', 'other'], OTHER_COOKIE],
  [['compile', 'demo', '--node', 'fred', '--cookie', 'other'], OTHER_COOKIE],
  [['call', 'demo.add(4, 5)', '--cookie', 'other'], OTHER_COOKIE],
  [['ping', 'fred', '--cookie', 'other'], OTHER_COOKIE],
  [['nodes', '--cookie', 'other'], OTHER_COOKIE],
];

const ARGUMENTS: readonly Case[] = [
  [['frobnicate', 'demo'], "error: unknown command 'frobnicate'\n"],
  [['push'], 'error: name a module, or give --all or --affected\n'],
  [['push', 'demo', '--fast'], "error: unknown option '--fast'\n"],
  [['history', 'demo', 'again'], /^error: too many arguments for 'history'\. .*\n$/],
  [['compile', 'demo'], "error: required option '--node <name>' not specified\n"],
  [['call'], "error: missing required argument 'call'\n"],
  [['ping', '--timeout', 'long'], /^error: option '--timeout <time>' argument 'long' is invalid\. give a time .*\n$/],
  [['nodes', '--wait', 'few'], /^error: option '--wait <count>' argument 'few' is invalid\. give a whole number\.\n$/],
];

const title = ([args]: Case): string => `hotcast ${args.map(arg => JSON.stringify(arg)).join(' ')}`;
const titled = (cases: readonly Case[]): [string, Case][] => cases.map(each => [title(each), each]);

type Revisions = Awaited<ReturnType<Cluster['revisions']>>;

/** Expects exit status 2, one line on stderr, and that no node changed. */
async function expectRefused(cluster: Cluster, loaded: Revisions, [args, message]: Case): Promise<void> {
  const ended = await cluster.hotcast(...args);
  expect(ended).toMatchObject({ exitCode: 2, stdout: '' });
  if (typeof message === 'string') expect(ended.stderr).toBe(message);
  else expect(ended.stderr).toMatch(message);
  expect(await cluster.revisions()).toEqual(loaded);
}

describe('hotcast refuses with one line, and changes nothing', () => {
  it.for(titled(MODULES))('a wrong module: %s', ([, each], { cluster, loaded }) =>
    expectRefused(cluster, loaded, each),
  );

  it.for(titled(CALLS))('an invalid call expression: %s', ([, each], { cluster, loaded }) =>
    expectRefused(cluster, loaded, each),
  );

  it.for(titled(NODES))('an unknown node: %s', ([, each], { cluster, loaded }) => expectRefused(cluster, loaded, each));

  it.for(titled(COOKIES))('another cookie: %s', ([, each], { cluster, loaded }) =>
    expectRefused(cluster, loaded, each),
  );

  it.for(titled(ARGUMENTS))('wrong arguments: %s', ([, each], { cluster, loaded }) =>
    expectRefused(cluster, loaded, each),
  );

  it.for([
    ['demo.nope()', 'module demo exports no function nope'],
    ['demo.toString()', 'module demo exports no function toString'],
    ['nosuch.add(4, 5)', 'module nosuch is not loaded'],
  ] as const)('a function that does not exist: %s', async ([call, message], { cluster, loaded }) => {
    expect(await cluster.hotcast('call', call)).toMatchObject({
      exitCode: 1,
      stdout: `fred    undef: ${message} on node fred\nbambam  undef: ${message} on node bambam\n`,
      stderr: '',
    });
    expect(await cluster.revisions()).toEqual(loaded);
  });

  it('any command while NATS is down', async ({ cluster, loaded }) => {
    const nats = await cluster.container('nats');
    await nats.stop({ t: 10 });
    for (const args of [['push', 'demo'], ['call', 'demo.add(4, 5)'], ['ping'], ['nodes']]) {
      expect(await cluster.hotcast(...args)).toMatchObject({
        exitCode: 2,
        stdout: '',
        stderr: expect.stringMatching(
          /^hotcast: NATS does not answer at nats:\/\/\S+; nothing was sent \(see: docker compose logs\)\n$/,
        ) as string,
      });
    }
    const startedAt = Date.now();
    await nats.start();
    await cluster.waitForLog('controller', ({ msg }) => msg === 'reconnected to NATS', startedAt);
    await cluster.nodes('--wait', '2', '--timeout', '30');
    expect(await cluster.revisions()).toEqual(loaded);
  });
});
