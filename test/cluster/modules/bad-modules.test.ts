import { describe, expect } from 'vitest';

import type { CallResult } from '../../../controller/src/api/results.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Cluster } from '../../support/cluster/cluster.ts';
import { clusterTest } from '../../support/cluster/cluster-test.ts';

/** The effect of a bad module. */
type Effect =
  /** The call fails with this error, which is counted. */
  | { readonly exception: RegExp }
  /** The call fails with this badvalue error, which is not counted. */
  | { readonly badvalue: RegExp }
  /** The call returns its value. These uncaught errors (type and message) are counted and logged later. */
  | { readonly uncaught: readonly [type: string, message: RegExp][] }
  /** The call returns its value, and there are no errors. */
  | { readonly value: unknown };

interface BadModule {
  /** The body of the function `run`. */
  readonly body: string;
  readonly imports?: string;
  readonly effect: Effect;
}

const NOT_FOR_MODULES = {
  exception: /^Error: process\.\w+ is not available in modules because it affects the whole node: ./,
};
const TOO_LARGE = { badvalue: /^badvalue: the value is larger than 1048576 bytes of JSON$/ };
const lost = (type: string, message: RegExp): Effect => ({ uncaught: [[type, message]] });

/** Bad modules by their names. */
const BAD_MODULES: Readonly<Record<string, BadModule>> = {
  'throws-in-a-timer': {
    body: `setTimeout(() => { throw new TypeError('lost'); }, 1);`,
    effect: lost('TypeError', /^lost$/),
  },
  'rejects-with-an-error': {
    body: `void Promise.reject(new TypeError('lost'));`,
    effect: lost('TypeError', /^lost$/),
  },
  'rejects-with-a-number': { body: `void Promise.reject(7);`, effect: lost('number', /^7$/) },
  'rejects-later-with-nothing': {
    imports: `import { readFile } from 'node:fs/promises';`,
    body: `void readFile('/etc/hostname').then(() => Promise.reject());`,
    effect: lost('undefined', /^undefined$/),
  },
  'throws-a-text-in-a-callback': {
    imports: `import { readFile } from 'node:fs';`,
    body: `readFile('/etc/hostname', () => { throw 'lost'; });`,
    effect: lost('string', /^lost$/),
  },
  'ignores-a-failing-socket': {
    imports: `import { connect } from 'node:net';`,
    body: `connect(1, '127.0.0.1');`,
    effect: lost('Error', /ECONNREFUSED/),
  },
  exits: { body: `process.exit(1);`, effect: NOT_FOR_MODULES },
  'exits-in-a-timer': {
    body: `setTimeout(() => process.exit(1), 1);`,
    effect: lost('Error', /^process\.exit is not available in modules/),
  },
  'exits-by-node-process': {
    imports: `import { exit } from 'node:process';`,
    body: `exit(1);`,
    effect: NOT_FOR_MODULES,
  },
  'exits-by-the-global-process': { body: `new Function('process.exit(1)')();`, effect: NOT_FOR_MODULES },
  'aborts-by-the-global-process': { body: `new Function('process.abort()')();`, effect: NOT_FOR_MODULES },
  aborts: { body: `process.abort();`, effect: NOT_FOR_MODULES },
  'sets-the-exit-code': { body: `process.exitCode = 7;`, effect: NOT_FOR_MODULES },
  'kills-itself': { body: `process.kill(process.pid);`, effect: NOT_FOR_MODULES },
  'kills-all': { body: `process.kill(-1, 'SIGKILL');`, effect: NOT_FOR_MODULES },
  'changes-the-working-directory': { body: `process.chdir('/');`, effect: NOT_FOR_MODULES },
  'changes-its-user': { body: `process.setuid?.(1000);`, effect: NOT_FOR_MODULES },
  'removes-all-handlers': {
    body: `process.removeAllListeners('uncaughtException').removeAllListeners(); void Promise.reject(7);`,
    effect: lost('number', /^7$/),
  },
  'throws-in-a-handler': {
    body: `process.on('unhandledRejection', () => { throw new Error('again'); }); void Promise.reject(7);`,
    effect: {
      uncaught: [
        ['number', /^7$/],
        ['Error', /^again$/],
      ],
    },
  },
  'handles-signals': {
    body: `process.on('SIGTERM', () => undefined); return process.emit('SIGTERM');`,
    effect: { value: true },
  },
  'changes-the-environment': {
    body: `process.env['COOKIE'] = 'mine'; return process.env['COOKIE'];`,
    effect: { value: 'mine' },
  },
  'adds-to-every-object': {
    body: `Object.assign(Object.prototype, { polluted: 1 });`,
    effect: { exception: /^TypeError: Cannot add property polluted, object is not extensible$/ },
  },
  recurses: {
    body: `const down = (depth: number): number => 1 + down(depth + 1); return down(0);`,
    effect: { exception: /^RangeError: Maximum call stack size exceeded$/ },
  },
  'returns-a-long-text': { body: `return 'x'.repeat(500_000_000);`, effect: TOO_LARGE },
  'returns-a-long-list': { body: `return new Array(4_000_000_000);`, effect: TOO_LARGE },
  'streams-endlessly': {
    body: `return (async function* () { for (;;) yield 'x'.repeat(1_000); })();`,
    effect: TOO_LARGE,
  },
  'replaces-stacks': {
    body: `Error.prepareStackTrace = () => { throw new Error('no stack'); }; throw new RangeError('seen');`,
    effect: { exception: /^RangeError: seen$/ },
  },
  'disables-stacks': { body: `Error.stackTraceLimit = 0;`, effect: { value: undefined } },
};

/** A good module on the same node. */
const BYSTANDER = `
  export const cookie = () => process.env['COOKIE'];
  export function fail(): never {
    throw new RangeError('expected');
  }
`;

const it = clusterTest({ nodes: 1, node: { MAX_DRAINING_VERSIONS: '1' } }).extend(
  'setup',
  { scope: 'file' },
  async ({ cluster }) => {
    cluster.writeModule('bystander', BYSTANDER);
    for (const [module, { imports = '', body }] of Object.entries(BAD_MODULES)) {
      cluster.writeModule(module, `${imports}\nexport function run(): unknown {\n  ${body}\n  return undefined;\n}\n`);
    }
    const { exitCode, result } = await cluster.pushTogether(['bystander', ...Object.keys(BAD_MODULES)]);
    expect(exitCode).toBe(0);
    const revisions = result.modules.map(({ module, revision }) => [module, shortRevision(revision)] as const);
    return { revisions: Object.fromEntries(revisions), process: processOf(await fred(cluster)) };
  },
);

/** The description of fred. */
async function fred(cluster: Cluster) {
  const [node] = await cluster.nodes();
  if (node?.status !== 'present') throw new Error('fred is silent');
  return node;
}

function processOf({ container, pid, startedAt }: Awaited<ReturnType<typeof fred>>) {
  return { container, pid, startedAt };
}

async function callOnFred(cluster: Cluster, call: string): Promise<CallResult['nodes'][number] | undefined> {
  return (await cluster.call(call, '--timeout', '60')).result.nodes[0];
}

describe('a module that', () => {
  it.for(Object.entries(BAD_MODULES))(
    '%s harms no other module',
    async ([module, { effect }], { cluster, setup: { revisions, process } }) => {
      const answer = await callOnFred(cluster, `${module}.run()`);
      const text = answer?.status === 'error' ? `${answer.type}: ${answer.message}` : answer;
      let errors = 0;
      if ('exception' in effect) {
        errors = 1;
        expect(text).toMatch(effect.exception);
      } else if ('badvalue' in effect) {
        expect(text).toMatch(effect.badvalue);
      } else {
        const json = 'value' in effect && effect.value !== undefined ? { json: JSON.stringify(effect.value) } : {};
        expect(text).toMatchObject({ status: 'value', ...json });
      }
      for (const [type, message] of 'uncaught' in effect ? effect.uncaught : []) {
        errors += 1;
        const revision = revisions[module];
        await cluster.waitForLog('fred', line => {
          if (line.module !== module || line.revision !== revision || line.err === undefined) return false;
          return line.err.type === type && message.test(line.err.message);
        });
      }

      const [after, cookie, failed] = await Promise.all([
        fred(cluster),
        callOnFred(cluster, 'bystander.cookie()'),
        callOnFred(cluster, 'bystander.fail()'),
      ]);
      expect(processOf(after)).toEqual(process);
      expect(after.modules[module]).toMatchObject({ calls: 1, errors, inFlight: 0 });
      expect(cookie).toMatchObject({ json: JSON.stringify(cluster.cookie) });
      const stack = expect.stringContaining(`bystander@${revisions['bystander']} modules/bystander.ts:4:11`) as string;
      expect(failed).toMatchObject({ type: 'RangeError', stack });
    },
  );

  it('never ends a call is listed, cannot be soft-purged, and is ended by a purge', async ({ cluster }) => {
    const endless = (name: string): string => `
      export const wait = () => { console.log('waiting'); return new Promise(() => undefined); };
      export const name = () => '${name}';
    `;
    cluster.writeModule('endless', endless('one'));
    await cluster.push('endless');
    const call = callOnFred(cluster, 'endless.wait()');
    await cluster.waitForLog('fred', line => line.module === 'endless' && line.msg === 'waiting');
    cluster.writeModule('endless', endless('two'));
    expect((await cluster.push('endless')).exitCode).toBe(0);
    expect((await fred(cluster)).draining).toMatchObject([{ module: 'endless', inFlight: 1, heldBy: 'endless.wait' }]);

    expect(await cluster.hotcast('soft-purge', 'endless')).toMatchObject({ exitCode: 1 });
    cluster.writeModule('endless', endless('three'));
    expect((await cluster.push('endless', '--timeout', '30')).result.nodes).toMatchObject([
      { status: 'refused', reason: 'not_purged', detail: expect.stringMatching(/ held by endless\.wait /) as string },
    ]);

    expect(await cluster.hotcast('purge', 'endless')).toMatchObject({ exitCode: 0 });
    expect(await call).toMatchObject({ failure: 'exception', type: 'purged' });
    expect((await fred(cluster)).draining).toEqual([]);
    expect((await cluster.push('endless')).exitCode).toBe(0);
  });

  it.for([
    ['console.log', `console.log('x'.repeat(999))`],
    ['process.stdout.write', `process.stdout.write('x'.repeat(999) + '\\n')`],
    ['errors', `setTimeout(() => { throw new Error('x'.repeat(999)); })`],
  ] as const)(
    'logs a hundred megabytes does not fill the disk, and calls of other modules are answered: %s',
    async ([, write], { cluster, setup }) => {
      const source = `
        export async function flood() {
          for (let written = 0; written < 100; written += 1) {
            await new Promise(setImmediate);
            for (let line = 0; line < 1_000; line += 1) ${write};
          }
        }
      `;
      cluster.writeModule('flood', source);
      const revision = shortRevision((await cluster.push('flood')).revision);
      const began = new Date().toISOString();
      const ended = new AbortController();
      const flood = callOnFred(cluster, 'flood.flood()').finally(() => ended.abort());
      do {
        expect(await callOnFred(cluster, 'bystander.cookie()')).toMatchObject({ status: 'value' });
      } while (!ended.signal.aborted);
      expect(await flood).toMatchObject({ status: 'value' });
      await cluster.waitForLog('fred', line => line.revision === revision && / lines dropped/.test(line.msg));
      const lines = (await cluster.logsOf('fred')).filter(({ time }) => time >= began);
      const bytes = JSON.stringify(lines).length;
      expect(bytes).toBeLessThan(5_000_000);
      expect(processOf(await fred(cluster))).toEqual(setup.process);
    },
  );
});

describe('a node', () => {
  it('stops with exit code 0 after all of these tests', async ({ cluster }) => {
    const container = await cluster.container('fred');
    await container.stop({ t: 10 });
    const { State } = await container.inspect();
    expect(State).toMatchObject({ ExitCode: 0, OOMKilled: false });
    const last = (await cluster.logsOf('fred')).slice(-3);
    expect(last).toMatchObject([{}, {}, { msg: 'stopped' }]);
  });
});
