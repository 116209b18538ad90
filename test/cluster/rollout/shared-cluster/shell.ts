import { describe, expect } from 'vitest';

import { Terminal } from '../../../support/docker/terminal.ts';
import { it } from './cluster.ts';

const TAB = '\t';
const UP = '\u001B[A';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

const SOURCE = `
  export const add = (x: number, y: number): number => x + y;
  export async function wait(): Promise<void> {
    console.log('waiting');
    await new Promise(resolve => setTimeout(resolve, 60_000));
  }
`;

describe('the shell in a terminal', () => {
  it('takes what is typed in the shell of Erlang', async ({ cluster }) => {
    cluster.writeModule('walk', SOURCE);
    const shell = await Terminal.start(await cluster.container('controller'), ['hotcast', 'shell']);
    await shell.shows(new RegExp(`^\\(fred@${cluster.cookie}\\)1>$`));

    cluster.writeModule('walk', SOURCE.replace('x + y;', 'x + ;'));
    expect(await shell.type('c(walk).')).toMatch(/modules\/walk\.ts:2:\d+: .*\n.*x \+ ;\n +\^\nerror$/);
    cluster.writeModule('walk', SOURCE);
    expect(await shell.type('c(walk).')).toBe('{ok,walk}');
    expect(await shell.type('walk:add(1,2).')).toBe('3');
    expect(await shell.type("net_adm:ping('betty@127.0.0.1').")).toBe('pong');
    expect(await shell.type('ping(nobody).')).toBe('pang');
    expect(await shell.type('nodes().')).toBe(
      `[${["'bambam", "'betty"].map(n => `${n}@${cluster.cookie}'`).join(',')}]`,
    );
    expect(await shell.type('erlang:get_cookie().')).toBe(`'${cluster.cookie}'`);
    expect(await shell.type('m(walk).')).toMatch(
      /^Module: walk\nRevision: \w{12} \(on fred only\)\n[^]*add\/2[^]*wait\/0\nok$/,
    );
    await shell.type('.on betty');
    expect(await shell.type('walk:add(4,5).')).toBe('** exception error: undefined function walk:add/2');
    expect(await shell.type('nl(walk).')).toMatch(/^fred +loaded .*\nbambam +loaded .*\nbetty +loaded .*\n[^]*abcast$/);
    expect(await shell.type('walk:add(4,5).')).toBe('9');
    expect(await shell.type('walk.add(4, 5)')).toBe('9');
    expect(await shell.type('code:purge(walk).')).toBe('false');
    expect(await shell.type('l(walk).')).toBe('{module,walk}');
    await shell.type('.on all');
    expect(await shell.type('walk.add(4, 5)')).toBe('9  ← 3 nodes');
    await shell.press('q().', '\r');
    expect(await shell.exitStatus()).toBe(0);
  });

  it('completes, has the lines of earlier sessions, and ends the waiting with Ctrl+C', async ({ cluster }) => {
    cluster.writeModule('walk', SOURCE);
    await cluster.push('walk');
    const container = await cluster.container('controller');
    const shell = await Terminal.start(container, ['hotcast', 'shell', '--node', 'bambam']);
    await shell.shows(/1>$/);
    await shell.press('walk.a', TAB);
    await shell.shows(/1> walk\.add$/);
    await shell.press('(1,', '\r');
    await shell.shows(/\n\|$/);
    await shell.press('2)', '\r');
    await shell.shows(/\n3\n\(\S+\)2>$/);

    await shell.press('walk:wait().', '\r');
    await expect.poll(async () => cluster.nodes()).toMatchObject([{}, { modules: { walk: { inFlight: 1 } } }, {}]);
    await shell.press(CTRL_C);
    await shell.shows(/\n\*\* interrupted\n\(\S+\)3>$/);
    await shell.press('not wanted', CTRL_C);
    await shell.shows(/3> not wanted\n\(\S+\)3>$/);
    await shell.press('.on be', TAB);
    await shell.shows(/3> \.on betty$/);
    await shell.press('\r');
    await shell.shows(/\(betty@\S+\)4>$/);
    await shell.press(CTRL_D);
    expect(await shell.exitStatus()).toBe(0);

    const next = await Terminal.start(container, ['hotcast', 'shell']);
    await next.shows(/1>$/);
    await next.press(UP);
    await next.shows(/1> \.on betty$/);
    await next.press(CTRL_C);
    await next.shows(/\n\(\S+\)1>$/);
    await next.press(CTRL_D);
    expect(await next.exitStatus()).toBe(0);
  });
});

describe('an expression in the shell', () => {
  it('runs on the node with its modules, and keeps what it declares until the shell ends', async ({ cluster }) => {
    cluster.writeModule('walk', SOURCE);
    await cluster.push('walk');
    const container = await cluster.container('controller');
    const before = await cluster.revisions();
    const shell = await Terminal.start(container, ['hotcast', 'shell', '--node', 'fred']);
    await shell.shows(/1>$/);
    expect(await shell.type('walk.add(1, 2) * 2')).toBe('6');
    expect(await shell.type('const sum: number = walk.add(1, 2)')).toBe('undefined');
    expect(await shell.type('await Promise.resolve(sum) * 10')).toBe('30');
    expect(await shell.type("new Map([['sum', { sum }]])")).toBe("Map(1) { 'sum' => { sum: 3 } }");
    expect(await shell.type('let wrong = ;')).toMatch(/\nshell:1:13: /);
    expect(await shell.type("throw new RangeError('no')")).toMatch(/^Uncaught RangeError: no\n +at .*Shell@/);
    expect(await shell.type('for (;;);')).toBe('Uncaught timeout: it held the node for 1000 ms');
    await shell.type('.on all');
    expect(await shell.type('typeof sum')).toBe("'undefined'  ← 2 nodes\n'number'  ← fred");
    await shell.press(CTRL_D);
    expect(await shell.exitStatus()).toBe(0);

    expect(await cluster.revisions()).toEqual(before);
    const { stdout } = await cluster.hotcast('audit');
    expect(stdout).toMatch(/ wilma@quarry +evaluate +- +done +on fred, bambam, betty: 3 value\n/);
    const expressions = stdout.split('\n').filter(line => line.includes(' evaluate '));
    expect(expressions.join('\n')).not.toContain('sum');
  });
});
