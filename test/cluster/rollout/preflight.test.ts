import { describe, expect } from 'vitest';

import { clusterState } from '../../support/cluster/cluster-state.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';

const it = clusterTest({ nodes: 2, controller: { PREFLIGHT_MEMORY_MB: '64' } });

const ANSWER = `export function answer() { return 'here'; }\n`;

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
    [
      'the file system without an import',
      `process.getBuiltinModule('fs').writeFileSync('/tmp/preflight-was-here', '');`,
    ],
    ['timers', `setInterval(() => {}, 1).unref(); setTimeout(() => {}, 1); setImmediate(() => {});`],
    [
      'timers as promises',
      `import { setTimeout as wait } from 'node:timers/promises'; void (async () => { await wait(1); })();`,
    ],
    [
      'a built-in as a base class',
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
  ] as const)('accepts a module that uses %s, and gives it no access to it', async ([what, source], { cluster }) => {
    const module = `uses-${what.replaceAll(/[^a-z]+/g, '-')}`;
    cluster.writeModule(module, source + ANSWER);
    expect(await cluster.hotcast('push', module)).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await cluster.exec('controller', ['ls', '/tmp'])).stdout).not.toContain('preflight');
  });

  it.for([
    [
      'no I/O',
      `import { readFileSync } from 'node:fs'; JSON.parse(readFileSync('/proc/self/status', 'utf8').replace(/[^]*/, '{}'));`,
    ],
    [
      'not the environment of the nodes',
      `const env = { ...process.env }; if (!('HOSTNAME' in env)) throw new Error('no host name');`,
    ],
  ])('ignores errors that a module throws because the preflight has %s', async ([, source], { cluster }) => {
    cluster.writeModule('configured', `${source}${ANSWER}`);
    expect(await cluster.hotcast('push', 'configured')).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(
        /^warning: configured: only a node can tell whether it loads: [^\n]*\n$/,
      ) as unknown,
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
  ] as const)(
    'refuses a module with reason %s, and sends nothing: %s',
    async ([reason, source, detail], { cluster }) => {
      const module = `bad-${reason.replaceAll('_', '-')}`;
      cluster.writeModule(module, source + ANSWER);
      const before = await clusterState(cluster);
      const { exitCode, stdout, stderr } = await cluster.hotcast('push', module);
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
      expect(stderr).toMatch(/^hotcast: [^\n]*; nothing was sent\n$/);
      expect(stderr).toContain(`hotcast: ${module} was refused before it was sent: ${detail}`);
      expect(await clusterState(cluster)).toEqual(before);
    },
  );

  it('runs before a compile onto one node too', async ({ cluster }) => {
    cluster.writeModule('bad-here', `process.chdir('/');${ANSWER}`);
    const before = await clusterState(cluster);
    expect(await cluster.hotcast('compile', 'bad-here', '--node', 'fred')).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/^hotcast: bad-here was refused before it was sent: /) as unknown,
    });
    expect(await clusterState(cluster)).toEqual(before);
  });

  it('gives each module of a set the whole time', async ({ cluster }) => {
    const modules = ['slow-first', 'slow-second'];
    // Nodes have a host name.
    const slow = `if (!process.env.HOSTNAME) for (const end = Date.now() + 1_200; Date.now() < end; );`;
    for (const module of modules) cluster.writeModule(module, slow + ANSWER);
    expect(await cluster.hotcast('push', ...modules)).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('refuses modules that are pushed together when one of them is bad', async ({ cluster }) => {
    cluster.writeModule('bad-second', `throw new Error('second');${ANSWER}`);
    const before = await clusterState(cluster);
    expect(await cluster.hotcast('push', 'demo', 'bad-second')).toMatchObject({
      exitCode: 2,
      stderr:
        'hotcast: bad-second was refused before it was sent: Error: second (modules/bad-second.ts:1:7); nothing was sent\n',
    });
    expect(await clusterState(cluster)).toEqual(before);
  });
});
