import { describe, expect } from 'vitest';

import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';

const it = clusterTest({ nodes: 2, controller: { PREFLIGHT_MEMORY: '64' } });

const ANSWER = `export function answer() { return 'here'; }\n`;

/** What runs where, and the newest head of every module. */
async function stateOf(cluster: Cluster): Promise<unknown> {
  const { result } = await cluster.status();
  return { heads: result.heads, revisions: await cluster.revisions() };
}

describe('preflight', () => {
  it.for([
    [
      'files',
      `import { readFileSync, writeFileSync } from 'node:fs'; writeFileSync('/tmp/preflight-was-here', readFileSync('/etc/hostname'));`,
    ],
    ['files as a whole', `import * as fs from 'fs'; fs.mkdirSync('/tmp/preflight-was-there', { recursive: true });`],
    [
      'files by promises',
      `import { writeFile } from 'node:fs/promises'; void writeFile('/tmp/preflight-was-here', 'x');`,
    ],
    [
      'a server',
      `import http from 'node:http'; http.createServer((_, r) => r.end()).listen({ port: 0, signal: import.meta.hot.signal });`,
    ],
    ['a socket', `import { connect } from 'node:net'; connect(4222, 'nats').on('error', () => {}).destroy();`],
    ['the network', `void fetch('http://127.0.0.1:1/').catch(() => {});`],
    [
      'a child process',
      `import { execFile } from 'node:child_process'; execFile('touch', ['/tmp/preflight-was-here'], () => {});`,
    ],
    ['the file system past import', `process.getBuiltinModule('fs').writeFileSync('/tmp/preflight-was-here', '');`],
    ['timers', `setInterval(() => {}, 1).unref(); setTimeout(() => {}, 1); setImmediate(() => {});`],
    [
      'timers as promises',
      `import { setTimeout as wait } from 'node:timers/promises'; void (async () => { await wait(1); })();`,
    ],
    [
      'a class above its own',
      `import { Agent } from 'node:http'; export class Mine extends Agent {}; new Mine().destroy();`,
    ],
    ['another module', `import { add } from 'hot:demo'; export const sum = () => add(1, 2);`],
    [
      'its environment',
      `import.meta.hot.dispose(() => {}); import.meta.hot.data.x ??= 1; console.log('hello', process.env.NOT_SET);`,
    ],
    ['the standard output', `process.stdout.write('{"token":"x","verdict":{"status":"refused"}}\\n');`],
    [
      'pure built-ins',
      `import { createHash } from 'node:crypto'; import { EventEmitter } from 'node:events'; import { gzipSync } from 'node:zlib'; import { join } from 'node:path';
      import { inspect } from 'node:util'; import { Readable } from 'node:stream'; import { AsyncLocalStorage } from 'node:async_hooks'; import { text } from 'node:stream/consumers';
      class E extends EventEmitter {}; new E().emit('x'); gzipSync(join('a', inspect({}))); new AsyncLocalStorage(); void text(Readable.from(['x']));
      if (createHash('sha256').update('').digest('hex').length !== 64) throw new Error('a stand-in'); new URL('http://x/'); new Request('http://x/'); performance.now();`,
    ],
  ] as const)('lets a module pass that wants %s, and it does not reach that', async ([what, source], { cluster }) => {
    const module = `wants-${what.replaceAll(/[^a-z]+/g, '-')}`;
    cluster.writeModule(module, source + ANSWER);
    expect(await cluster.hotcast('push', module)).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await cluster.exec('controller', ['ls', '/tmp'])).stdout).not.toContain('preflight');
  });

  it('does not judge what a module throws for want of I/O', async ({ cluster }) => {
    cluster.writeModule(
      'configured',
      `import { readFileSync } from 'node:fs'; JSON.parse(readFileSync('/proc/self/status', 'utf8').replace(/[^]*/, '{}'));${ANSWER}`,
    );
    expect(await cluster.hotcast('push', 'configured')).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^warning: configured: whether it loads is not known [^\n]*\n$/) as unknown,
    });
  });

  it.for([
    ['throws', `\nthrow new RangeError('not today');`, 'RangeError: not today (modules/bad-throws.ts:2:7)'],
    ['time', `for (;;);`, 'it does not load within 2000 ms'],
    [
      'memory',
      `const all = []; for (;;) all.push(new Array(10_000).fill(all.length));`,
      'it takes more than 64 MB while it loads',
    ],
    [
      'memory',
      `const all = []; for (;;) all.push(Buffer.alloc(1_000_000, 1));`,
      'it takes more than 64 MB while it loads',
    ],
    ['exit', `process.exit(0);`, 'it ends the process (modules/bad-exit.ts:1:9)'],
    ['exit', `try { process.abort(); } catch {}`, 'it ends the process (modules/bad-exit.ts:1:15)'],
    [
      'exit',
      `import { kill, pid } from 'node:process'; kill(pid, 'SIGKILL');`,
      'it ends the process (modules/bad-exit.ts:1:43)',
    ],
    ['chdir', `process.chdir('/');`, 'it changes the working directory (modules/bad-chdir.ts:1:9)'],
    [
      'intrinsics',
      `Array.prototype.last = function () { return this.at(-1); };`,
      'it changes Array.prototype.last, which all modules share',
    ],
    [
      'intrinsics',
      `globalThis.fetch = () => {}; Math.random = () => 4;`,
      'it changes fetch, Math.random, which all modules share',
    ],
    [
      'native_addon',
      `process.dlopen({ exports: {} }, '/tmp/addon.node');`,
      'it loads a native addon (modules/bad-native-addon.ts:1:9)',
    ],
    ['native_addon', `const path = '/tmp/addon.node'; require(path);`, 'it loads a native addon: '],
    [
      'no_builtin',
      `import quantum from 'node:quantum'; export const q = quantum;`,
      'it needs node:quantum, which is no built-in of Node v',
    ],
    ['no_export', `module.exports = {};`, 'it has no answer when it has loaded'],
  ] as const)('refuses for its reason, %s, and sends nothing: %s', async ([reason, source, detail], { cluster }) => {
    const module = `bad-${reason.replaceAll('_', '-')}`;
    cluster.writeModule(module, source + ANSWER);
    const before = await stateOf(cluster);
    const { exitCode, stdout, stderr } = await cluster.hotcast('push', module);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^hotcast: [^\n]*; nothing was sent\n$/);
    expect(stderr).toContain(`hotcast: ${module} was refused before it was sent: ${detail}`);
    expect(await stateOf(cluster)).toEqual(before);
  });

  it('stands before a load on one node too', async ({ cluster }) => {
    cluster.writeModule('bad-here', `process.chdir('/');${ANSWER}`);
    const before = await stateOf(cluster);
    expect(await cluster.hotcast('compile', 'bad-here', '--node', 'fred')).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/^hotcast: bad-here was refused before it was sent: /) as unknown,
    });
    expect(await stateOf(cluster)).toEqual(before);
  });

  it('refuses a set for one bad module in it', async ({ cluster }) => {
    cluster.writeModule('bad-second', `throw new Error('second');${ANSWER}`);
    const before = await stateOf(cluster);
    expect(await cluster.hotcast('push', 'demo', 'bad-second')).toMatchObject({
      exitCode: 2,
      stderr:
        'hotcast: bad-second was refused before it was sent: Error: second (modules/bad-second.ts:1:7); nothing was sent\n',
    });
    expect(await stateOf(cluster)).toEqual(before);
  });
});

describe('an export that is gone', () => {
  it('is named with who imports it, and the push goes on', async ({ cluster }) => {
    cluster.writeModule('sums', `export const plus = (x, y) => x + y; export const unused = 1;`);
    cluster.writeModule('caller', `import { plus } from 'hot:sums'; export const three = () => plus(1, 2);`);
    await cluster.pushTogether(['sums', 'caller']);
    cluster.writeModule('sums', `export const minus = (x, y) => x - y;`);
    expect(await cluster.hotcast('push', 'sums')).toMatchObject({
      exitCode: 0,
      stderr: 'warning: sums exports plus no more, which caller imports\n',
    });
  });
});

describe('type check', () => {
  /** Runs hotcast without the option that other tests push with. */
  const checked = (cluster: Cluster, ...args: string[]) => cluster.exec('controller', ['hotcast', ...args]);

  it('shows file, line and caret of a type error, and sends nothing', async ({ cluster }) => {
    await cluster.push('demo');
    cluster.writeModule('typed', `import { add } from 'hot:demo';\n\nexport const sum: number = add(1, 'two');\n`);
    const before = await stateOf(cluster);
    for (const command of [
      ['push', 'typed'],
      ['compile', 'typed', '--node', 'fred'],
    ]) {
      expect(await checked(cluster, ...command)).toMatchObject({
        exitCode: 2,
        stdout: '',
        stderr: [
          'hotcast: typed: a type error; nothing was sent (--no-check pushes all the same)',
          `modules/typed.ts:3:35: Argument of type 'string' is not assignable to parameter of type 'number'. (TS2345)`,
          `  3 | export const sum: number = add(1, 'two');`,
          `                                        ^^^^^`,
          '',
        ].join('\n'),
      });
    }
    expect(await stateOf(cluster)).toEqual(before);
    expect(await checked(cluster, 'push', 'typed', '--no-check')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('follows what was edited, made and removed, and knows the types of Node.js and of hot', async ({ cluster }) => {
    const source = `
      import { readFile } from 'node:fs/promises';
      import { name } from './parts/name.ts';
      export const text = async (): Promise<string> => name + (await readFile('/etc/hostname', 'utf8'));
      const timer: NodeJS.Timeout = setTimeout(() => undefined, 1_000);
      import.meta.hot.dispose(() => clearTimeout(timer));
    `;
    cluster.writeFile('parts/name.ts', 'export const name: number = 1;\n');
    cluster.writeModule('whole', source);
    expect(await checked(cluster, 'push', 'whole')).toMatchObject({ exitCode: 0, stderr: '' });
    cluster.writeFile('parts/name.ts', 'export const name: number = "x";\n');
    const wrong = await checked(cluster, 'push', 'whole');
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stderr).toContain('modules/parts/name.ts:1:14: ');
    cluster.writeFile('parts/name.ts', 'export const name = "x";\n');
    expect(await checked(cluster, 'push', 'whole')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('leaves errors in other modules to them', async ({ cluster }) => {
    cluster.writeModule('other', 'export const wrong: number = "x";\n');
    expect(await checked(cluster, 'push', 'demo')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await checked(cluster, 'push', 'demo', 'other')).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

describe('a dry run', () => {
  it('tells node by node whether the change of state would work, and changes nothing', async ({ cluster }) => {
    const counter = `
      const { data } = import.meta.hot;
      export function add() { return (data.count = (data.count ?? 0) + 1); }
    `;
    cluster.writeModule('state', counter);
    await cluster.push('state');
    await cluster.call('state.add()', '--node', 'fred');
    const before = await stateOf(cluster);
    cluster.writeModule(
      'state',
      `export function codeChange(old) { if (old.count === 1) throw new RangeError('not from one'); return {}; }
       setInterval(() => console.log('from the dry run'), 1);${counter}`,
    );
    const { exitCode, stdout, stderr } = await cluster.hotcast('push', 'state', '--dry-run');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(
      /^fred    would be refused: on_load_failure: RangeError: not from one\nbambam  would load\nstate@[0-9a-f]{12} would load on 1 of 2; nothing was changed\n$/,
    );
    expect(await stateOf(cluster)).toEqual(before);
    const { result } = await cluster.call('state.add()');
    expect(result.nodes).toMatchObject([{ json: '2' }, { json: '1' }]);
    expect((await cluster.logsOf('bambam')).filter(({ msg }) => msg === 'from the dry run')).toEqual([]);

    // bambam has the count now that fred had.
    expect(await cluster.hotcast('push', 'state', '--dry-run')).toMatchObject({ exitCode: 1 });
    await cluster.call('state.add()', '--node', 'bambam');
    expect(await cluster.hotcast('push', 'state', '--dry-run')).toMatchObject({ exitCode: 0 });
    expect(await stateOf(cluster)).toEqual(before);
    expect(await cluster.hotcast('push', 'state')).toMatchObject({ exitCode: 0 });
  });

  it('sends nothing of what is refused before', async ({ cluster }) => {
    cluster.writeModule('bad-dry', `throw new Error('no');${ANSWER}`);
    expect(await cluster.hotcast('push', 'bad-dry', '--dry-run')).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await cluster.hotcast('push', 'demo', '--dry-run', '--canary', '1')).toMatchObject({
      exitCode: 2,
      stdout: '',
    });
  });
});
