import { describe, expect } from 'vitest';

import type { CallResult } from '../../../controller/src/api/results.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';

/** What comes of a bad deed. */
type HeadResult =
  /** The call fails with this, and is counted. */
  | { readonly exception: RegExp }
  /** The call is refused with this, and is not counted. */
  | { readonly badvalue: RegExp }
  /** The call gives its value, and these errors (type and message) are counted and logged later. */
  | { readonly strays: readonly [type: string, message: RegExp][] }
  /** The call gives its value, and nothing else comes of it. */
  | { readonly value: unknown };

interface Bad {
  /** What is done by `deed()`. */
  readonly deed: string;
  readonly imports?: string;
  readonly outcome: HeadResult;
}

const NOT_FOR_MODULES = { exception: /^Error: process\.\w+ is not for modules, it acts on the whole node: ./ };
const TOO_LARGE = { badvalue: /^badvalue: the value is larger than 1048576 bytes of JSON$/ };
const lost = (type: string, message: RegExp): HeadResult => ({ strays: [[type, message]] });

/** By the name of the module. */
const BAD: Readonly<Record<string, Bad>> = {
  'throws-in-a-timer': {
    deed: `setTimeout(() => { throw new TypeError('lost'); }, 1);`,
    outcome: lost('TypeError', /^lost$/),
  },
  'rejects-with-an-error': {
    deed: `void Promise.reject(new TypeError('lost'));`,
    outcome: lost('TypeError', /^lost$/),
  },
  'rejects-with-a-number': { deed: `void Promise.reject(7);`, outcome: lost('number', /^7$/) },
  'rejects-later-with-nothing': {
    imports: `import { readFile } from 'node:fs/promises';`,
    deed: `void readFile('/etc/hostname').then(() => Promise.reject());`,
    outcome: lost('undefined', /^undefined$/),
  },
  'throws-a-text-in-a-callback': {
    imports: `import { readFile } from 'node:fs';`,
    deed: `readFile('/etc/hostname', () => { throw 'lost'; });`,
    outcome: lost('string', /^lost$/),
  },
  'leaves-a-socket-alone-that-fails': {
    imports: `import { connect } from 'node:net';`,
    deed: `connect(1, '127.0.0.1');`,
    outcome: lost('Error', /ECONNREFUSED/),
  },
  exits: { deed: `process.exit(1);`, outcome: NOT_FOR_MODULES },
  'exits-in-a-timer': {
    deed: `setTimeout(() => process.exit(1), 1);`,
    outcome: lost('Error', /^process\.exit is not for modules/),
  },
  'exits-by-node-process': {
    imports: `import { exit } from 'node:process';`,
    deed: `exit(1);`,
    outcome: NOT_FOR_MODULES,
  },
  'exits-past-its-own-process': { deed: `new Function('process.exit(1)')();`, outcome: NOT_FOR_MODULES },
  'aborts-past-its-own-process': { deed: `new Function('process.abort()')();`, outcome: NOT_FOR_MODULES },
  aborts: { deed: `process.abort();`, outcome: NOT_FOR_MODULES },
  'sets-the-exit-code': { deed: `process.exitCode = 7;`, outcome: NOT_FOR_MODULES },
  'kills-itself': { deed: `process.kill(process.pid);`, outcome: NOT_FOR_MODULES },
  'kills-all': { deed: `process.kill(-1, 'SIGKILL');`, outcome: NOT_FOR_MODULES },
  'goes-elsewhere': { deed: `process.chdir('/');`, outcome: NOT_FOR_MODULES },
  'becomes-somebody': { deed: `process.setuid?.(1000);`, outcome: NOT_FOR_MODULES },
  'takes-the-handlers-away': {
    deed: `process.removeAllListeners('uncaughtException').removeAllListeners(); void Promise.reject(7);`,
    outcome: lost('number', /^7$/),
  },
  'throws-in-a-handler': {
    deed: `process.on('unhandledRejection', () => { throw new Error('again'); }); void Promise.reject(7);`,
    outcome: {
      strays: [
        ['number', /^7$/],
        ['Error', /^again$/],
      ],
    },
  },
  'handles-signals': {
    deed: `process.on('SIGTERM', () => undefined); return process.emit('SIGTERM');`,
    outcome: { value: true },
  },
  'changes-the-environment': {
    deed: `process.env['COOKIE'] = 'mine'; return process.env['COOKIE'];`,
    outcome: { value: 'mine' },
  },
  'adds-to-every-object': {
    deed: `Object.assign(Object.prototype, { polluted: 1 });`,
    outcome: { exception: /^TypeError: Cannot add property polluted, object is not extensible$/ },
  },
  recurses: {
    deed: `const down = (depth: number): number => 1 + down(depth + 1); return down(0);`,
    outcome: { exception: /^RangeError: Maximum call stack size exceeded$/ },
  },
  'gives-a-long-text': { deed: `return 'x'.repeat(500_000_000);`, outcome: TOO_LARGE },
  'gives-a-long-list': { deed: `return new Array(4_000_000_000);`, outcome: { badvalue: /the value\[0\]/ } },
  'streams-for-ever': {
    deed: `return (async function* () { for (;;) yield 'x'.repeat(1_000); })();`,
    outcome: TOO_LARGE,
  },
  'writes-its-own-stacks': {
    deed: `Error.prepareStackTrace = () => { throw new Error('no stack'); }; throw new RangeError('seen');`,
    outcome: { exception: /^RangeError: seen$/ },
  },
  'wants-no-stacks': { deed: `Error.stackTraceLimit = 0;`, outcome: { value: undefined } },
};

/** A module that has nothing to do with any of it. */
const BYSTANDER = `
  export const cookie = () => process.env['COOKIE'];
  export function fail(): never {
    throw new RangeError('as it should');
  }
`;

const it = clusterTest({ nodes: 1 }).extend('begun', { scope: 'file' }, async ({ cluster }) => {
  cluster.writeModule('bystander', BYSTANDER);
  for (const [module, { imports = '', deed }] of Object.entries(BAD)) {
    cluster.writeModule(module, `${imports}\nexport function deed(): unknown {\n  ${deed}\n  return undefined;\n}\n`);
  }
  const { exitCode, result } = await cluster.pushTogether(['bystander', ...Object.keys(BAD)]);
  expect(exitCode).toBe(0);
  const revisions = result.modules.map(({ module, revision }) => [module, shortRevision(revision)] as const);
  return { revisions: Object.fromEntries(revisions), process: processOf(await fred(cluster)) };
});

/** What fred says of itself. */
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
  it.for(Object.entries(BAD))(
    '%s is contained',
    async ([module, { outcome }], { cluster, begun: { revisions, process } }) => {
      const answer = await callOnFred(cluster, `${module}.deed()`);
      const said = answer?.status === 'error' ? `${answer.type}: ${answer.message}` : answer;
      let errors = 0;
      if ('exception' in outcome) {
        errors = 1;
        expect(said).toMatch(outcome.exception);
      } else if ('badvalue' in outcome) {
        expect(said).toMatch(outcome.badvalue);
      } else {
        const json = 'value' in outcome && outcome.value !== undefined ? { json: JSON.stringify(outcome.value) } : {};
        expect(said).toMatchObject({ status: 'value', ...json });
      }
      for (const [type, message] of 'strays' in outcome ? outcome.strays : []) {
        errors += 1;
        const revision = revisions[module];
        await cluster.logged('fred', line => {
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

  it('never ends is seen, keeps its version from being purged, and fails when that is forced', async ({ cluster }) => {
    const endless = (name: string): string => `
      export const wait = () => { console.log('waiting'); return new Promise(() => undefined); };
      export const name = () => '${name}';
    `;
    cluster.writeModule('endless', endless('one'));
    await cluster.push('endless');
    const call = callOnFred(cluster, 'endless.wait()');
    await cluster.logged('fred', line => line.module === 'endless' && line.msg === 'waiting');
    cluster.writeModule('endless', endless('two'));
    expect((await cluster.push('endless')).exitCode).toBe(0);
    expect((await fred(cluster)).modules['endless']).toMatchObject({ old: { inFlight: 1 } });

    expect(await cluster.hotcast('soft-purge', 'endless')).toMatchObject({ exitCode: 1 });
    cluster.writeModule('endless', endless('three'));
    expect((await cluster.push('endless')).result.nodes).toMatchObject([{ status: 'refused', reason: 'not_purged' }]);

    expect(await cluster.hotcast('purge', 'endless')).toMatchObject({ exitCode: 0 });
    expect(await call).toMatchObject({ failure: 'exception', type: 'purged' });
    expect((await fred(cluster)).modules['endless']).toMatchObject({ old: null });
    expect((await cluster.push('endless')).exitCode).toBe(0);
  });

  it.for([
    ['console.log', `console.log('x'.repeat(999))`],
    ['process.stdout.write', `process.stdout.write('x'.repeat(999) + '\\n')`],
    ['errors', `setTimeout(() => { throw new Error('x'.repeat(999)); })`],
  ] as const)(
    'logs a hundred megabytes fills no disk, and others are answered meanwhile: %s',
    async ([, write], { cluster, begun }) => {
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
      const over = new AbortController();
      const flood = callOnFred(cluster, 'flood.flood()').finally(() => over.abort());
      do {
        expect(await callOnFred(cluster, 'bystander.cookie()')).toMatchObject({ status: 'value' });
      } while (!over.signal.aborted);
      expect(await flood).toMatchObject({ status: 'value' });
      await cluster.logged(
        'fred',
        line => line.revision === revision && / lines dropped: it may log 100000 characters a second/.test(line.msg),
      );
      const lines = (await cluster.logsOf('fred')).filter(({ time }) => time >= began);
      const bytes = JSON.stringify(lines).length;
      expect(bytes).toBeLessThan(5_000_000);
      expect(processOf(await fred(cluster))).toEqual(begun.process);
    },
  );
});

describe('a node', () => {
  it('stops when it is told to, after all of that', async ({ cluster }) => {
    const container = await cluster.container('fred');
    await container.stop({ t: 10 });
    const { State } = await container.inspect();
    expect(State).toMatchObject({ ExitCode: 0, OOMKilled: false });
    const last = (await cluster.logsOf('fred')).slice(-3);
    expect(last).toMatchObject([{}, {}, { msg: 'stopped' }]);
  });
});
