import { describe, expect } from 'vitest';

import { shortRevision } from '../../../../protocol/revision.ts';
import { it } from './cluster.ts';

/** A module whose function `wait` ends when `release` is called, on any version. */
const waitingSource = (version: string): string => `
  const { data } = import.meta.hot;
  export async function wait() {
    console.log('waiting');
    const word = await new Promise(resolve => { data.release = resolve; });
    return [version(), word];
  }
  export function release() { data.release('released by ${version}'); }
  export function version() { return '${version}'; }
`;

describe('a call', () => {
  it('that started on the old version ends on it', async ({ cluster }) => {
    cluster.writeModule('flight', waitingSource('old'));
    const old = await cluster.push('flight');
    const inFlight = cluster.call('flight.wait()', '--node', 'fred', '--timeout', '60');
    await cluster.waitForLog('fred', line => line.module === 'flight' && line.msg === 'waiting');

    cluster.writeModule('flight', waitingSource('new'));
    const next = await cluster.push('flight');
    expect(next.exitCode).toBe(0);
    const meanwhile = await cluster.call('flight.version()', '--node', 'fred');
    expect(meanwhile.result.nodes).toMatchObject([{ json: '"new"', revision: next.revision }]);

    await cluster.call('flight.release()', '--node', 'fred');
    const { exitCode, result } = await inFlight;
    expect(exitCode).toBe(0);
    expect(result.nodes).toMatchObject([{ node: 'fred', json: '["old","released by new"]', revision: old.revision }]);
  });

  it('can carry every character, also those at which node:readline ends a line', async ({ cluster }) => {
    cluster.writeModule('mirror', `export function echo(text: string) { console.log(text); return text; }\n`);
    await cluster.push('mirror');
    const text = JSON.stringify('a\u2028b\u2029c');
    // The command line of the container: the rule depends on the version of Node.js.
    const call = `mirror.echo(${text})`;
    const { exitCode, stdout } = await cluster.exec('controller', ['hotcast', 'call', call, '--node', 'fred']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `fred | a\u2028b\u2029c\n'a\u2028b\u2029c'\n` });
  });

  it('shows what the module prints, and the log has it too, with module and revision', async ({ cluster }) => {
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
    expect(result.nodes).toMatchObject(cluster.nodeNames.map(node => ({ node, json: '9', output })));

    const fields = { module: 'boss', revision: shortRevision(pushed.revision) };
    for (const node of cluster.nodeNames) {
      await cluster.waitForLog(node, ({ msg }) => msg === output.at(-1));
      const printed = (await cluster.logsOf(node)).filter(({ msg }) => output.includes(msg));
      expect(printed).toMatchObject(output.map(msg => ({ ...fields, node, msg })));
    }
    const { stdout } = await cluster.hotcast('call', 'boss.add(4, 5)', '--node', 'fred');
    expect(stdout).toBe('fred | Calculating like a boss!\nfred | still { x: 4 } calculating\n9\n');
  });

  it('prints one line for each node, or only the value with --node', async ({ cluster }) => {
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

  it('shows type and message of the error that a function throws', async ({ cluster }) => {
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

  it('takes arguments as JavaScript writes them, and shows values as Node.js prints them', async ({ cluster }) => {
    const source = `
      export const echo = (...args: unknown[]) => args.at(-1);
      export const circular = () => { const a: { name: string; self?: object } = { name: 'fred' }; a.self = a; return a; };
      export const store = { label: 'store', get(key: string) { return [this.label, key]; } };
      const quoted = () => 'quoted';
      export { quoted as 'with-dash' };
    `;
    cluster.writeModule('echo', source);
    await cluster.push('echo');
    const cases: [call: string, printed: string][] = [
      [`echo.echo('x')`, `'x'`],
      [`echo.echo({ a: 1, },)`, '{ a: 1 }'],
      ['echo.echo(undefined)', 'undefined'],
      ['echo.echo([NaN, -0])', '[ NaN, -0 ]'],
      ['echo.echo(9007199254740993n)', '9007199254740993n'],
      [`echo.echo(new Map([['a', new Set([1])]]))`, `Map(1) { 'a' => Set(1) { 1 } }`],
      ['echo.echo(new Uint8Array([1, 2]))', 'Uint8Array(2) [ 1, 2 ]'],
      ['echo.circular()', `<ref *1> { name: 'fred', self: [Circular *1] }`],
      [`echo.store.get('k')`, `[ 'store', 'k' ]`],
      ['echo["with-dash"]()', `'quoted'`],
    ];
    for (const [call, printed] of cases) {
      const { exitCode, stdout } = await cluster.hotcast('call', call, '--node', 'fred');
      expect({ call, exitCode, stdout }).toEqual({ call, exitCode: 0, stdout: `${printed}\n` });
    }
    const { result } = await cluster.call('echo.echo([1n])', '--node', 'fred');
    expect(result.nodes).toMatchObject([{ json: '[{"$type":"bigint","value":"1"}]' }]);
  });
});
