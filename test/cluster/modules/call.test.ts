import { describe, expect } from 'vitest';

import { shortRevision } from '../../../protocol/revision.ts';
import { clusterTest } from '../../support/cluster-test.ts';

const it = clusterTest({ nodes: 2 });

/** A module whose `wait` ends when `release`, of whatever version, is called. */
const waiting = (version: string): string => `
  const { data } = import.meta.hot;
  export async function wait() {
    console.log('waiting');
    const word = await new Promise(resolve => { data.release = resolve; });
    return [version(), word];
  }
  export function release() { data.release('released by ${version}'); }
  export function version() { return '${version}'; }
`;

describe('call', () => {
  it('ends on the old version when it started on the old one', async ({ cluster }) => {
    cluster.writeModule('flight', waiting('old'));
    const old = await cluster.push('flight');
    const inFlight = cluster.call('flight.wait()', '--node', 'fred', '--timeout', '60');
    await cluster.logged('fred', line => line.module === 'flight' && line.msg === 'waiting');

    cluster.writeModule('flight', waiting('new'));
    const next = await cluster.push('flight');
    expect(next.exitCode).toBe(0);
    const meanwhile = await cluster.call('flight.version()', '--node', 'fred');
    expect(meanwhile.result.nodes).toMatchObject([{ json: '"new"', revision: next.revision }]);

    await cluster.call('flight.release()', '--node', 'fred');
    const { exitCode, result } = await inFlight;
    expect(exitCode).toBe(0);
    expect(result.nodes).toMatchObject([{ node: 'fred', json: '["old","released by new"]', revision: old.revision }]);
  });

  it('gives what the module prints, which the log has too, with module and revision', async ({ cluster }) => {
    const source = `
      export async function add(x: number, y: number) {
        console.log('Calculating like a boss!');
        await undefined;
        console.error('still', { x }, 'calculating');
        return x + y;
      }
    `;
    cluster.writeModule('boss', source);
    const pushed = await cluster.push('boss');
    const { exitCode, result } = await cluster.call('boss.add(4, 5)');
    expect(exitCode).toBe(0);
    const output = ['Calculating like a boss!', 'still { x: 4 } calculating'];
    expect(result.nodes).toMatchObject(cluster.names.map(node => ({ node, json: '9', output })));

    const fields = { module: 'boss', revision: shortRevision(pushed.revision) };
    for (const node of cluster.names) {
      const printed = (await cluster.logsOf(node)).filter(({ msg }) => output.includes(msg));
      expect(printed).toMatchObject(output.map(msg => ({ ...fields, node, msg })));
    }
    const { stdout } = await cluster.hotcast('call', 'boss.add(4, 5)', '--node', 'fred');
    expect(stdout).toBe('fred | Calculating like a boss!\nfred | still { x: 4 } calculating\n9\n');
  });

  it('prints one line a node when none is named, and the bare value of one that is', async ({ cluster }) => {
    await cluster.push('demo');
    expect(await cluster.hotcast('call', 'demo.add(4, 5)')).toMatchObject({
      exitCode: 0,
      stdout: 'fred    9\nbambam  9\n',
      stderr: '',
    });
    expect(await cluster.hotcast('call', 'demo.add(1, 2)', '--node', 'bambam')).toMatchObject({
      exitCode: 0,
      stdout: '3\n',
      stderr: '',
    });
  });

  it('tells the type and the message of what a function throws', async ({ cluster }) => {
    const source = `
      export function typed() { throw new TypeError('not like this'); }
      export async function rejected() { throw 'a bare text'; }
    `;
    cluster.writeModule('throws', source);
    await cluster.push('throws');
    const typed = await cluster.call('throws.typed()', '--node', 'fred');
    expect(typed.exitCode).toBe(1);
    expect(typed.result.nodes).toMatchObject([{ failure: 'exception', type: 'TypeError', message: 'not like this' }]);
    const rejected = await cluster.hotcast('call', 'throws.rejected()', '--node', 'fred');
    expect(rejected).toMatchObject({ exitCode: 1, stdout: 'fred  string: a bare text\n', stderr: '' });
  });

  it.for([
    ['a bigint', '10n', 'the value is of type bigint'],
    ['a function', '() => 1', 'the value is of type function'],
    ['NaN', 'NaN', 'the value is NaN'],
    ['a Map', 'new Map()', 'the value is of type Map'],
    ['a cycle', '(() => { const a: any = {}; a.b = a; return a; })()', 'the value.b contains itself'],
  ] as const)('refuses a value that JSON cannot carry: %s', async ([, expression, detail], { cluster }) => {
    cluster.writeModule('misfit', `export function value() { return ${expression}; }\n`);
    await cluster.push('misfit');
    expect(await cluster.hotcast('call', 'misfit.value()', '--node', 'fred')).toMatchObject({
      exitCode: 1,
      stdout: `fred  badvalue: ${detail}, which JSON can't carry\n`,
      stderr: '',
    });
  });
});
