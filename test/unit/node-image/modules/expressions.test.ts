import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { Expressions } from '../../../../node-image/src/modules/shell/expressions.ts';
import type { CallAnswer } from '../../../../protocol/messages.ts';
import { bundleOf, recordingLog } from '../../fixtures.ts';

const SECOND = randomUUID();

/** A node with the module demo, and a shell on it. */
function shell() {
  const server = new CodeServer(recordingLog());
  const load = (code: string): void => {
    const bundle = bundleOf('demo', code);
    server.prepare(bundle);
    expect(server.loadHere(bundle)).toEqual({ status: 'ok' });
  };
  load('exports.version = () => 1; exports.add = (x, y) => x + y;');
  const expressions = new Expressions(server, async () => ({ status: 'ready', set: null }));
  const session = randomUUID();
  const run = async (body: string, { of = session, timeoutMs = 5_000 } = {}): Promise<CallAnswer> => {
    const code = `const demo = require('hot:demo'); exports.run = async kept => { ${body} };`;
    return expressions.evaluate('fred', { session: of, code, timeoutMs });
  };
  return { server, load, expressions, session, run };
}

describe('an expression', () => {
  afterEach(() => vi.useRealTimers());

  it('has the live exports of modules, and prints as a call does', async () => {
    const { run, load } = shell();
    expect(await run(`console.log('here'); return demo.add(1, 2) * demo.version();`)).toMatchObject({
      status: 'value',
      json: '3',
      output: ['here'],
    });
    load('exports.version = () => 2; exports.add = (x, y) => x + y;');
    expect(await run('return demo.version();')).toMatchObject({ json: '2' });
  });

  it('keeps values for the next lines of its shell alone, until the shell ends', async () => {
    const { run, expressions, session } = shell();
    await run('kept.x = 5;');
    expect(await run('return kept.x;')).toMatchObject({ json: '5' });
    const other = await run('return kept.x;', { of: SECOND });
    expect(other.status).toBe('value');
    expect(other).not.toHaveProperty('json');
    expressions.renew({ session, hasEnded: true });
    expressions.renew({ session: SECOND, hasEnded: true });
    expect(expressions.sessions).toBe(0);
    expect(await run('return kept.x;')).not.toHaveProperty('json');
  });

  it('releases what a shell keeps that is not heard of for ten minutes', async () => {
    const { run, expressions, session } = shell();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await run('kept.x = 5;');
    vi.advanceTimersByTime(9 * 60_000);
    expressions.renew({ session, hasEnded: false });
    vi.advanceTimersByTime(9 * 60_000);
    expect(expressions.sessions).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(expressions.sessions).toBe(0);
  });

  it('keeps values of so many shells only', async () => {
    const { run, expressions } = shell();
    for (let count = 0; count < 40; count += 1) await run('kept.x = 1;', { of: randomUUID() });
    expect(expressions.sessions).toBe(32);
  });

  it('says what was thrown, and which module is not there', async () => {
    const { run } = shell();
    expect(await run(`throw new RangeError('not today');`)).toMatchObject({
      status: 'error',
      failure: 'exception',
      type: 'RangeError',
      message: 'not today',
    });
    expect(await run(`return require('hot:missing').add(1);`)).toMatchObject({
      failure: 'undef',
      message: 'no export add of module missing is loaded on node fred',
    });
  });

  it('ends what it has opened with its value', async () => {
    const { run } = shell();
    await run('kept.ticks = 0; setInterval(() => { kept.ticks += 1; }, 1); await new Promise(r => setTimeout(r, 20));');
    const first = await run('return kept.ticks;');
    await sleep(20);
    expect(await run('return kept.ticks;')).toMatchObject({ json: first.status === 'value' ? first.json : '' });
    expect(first).not.toMatchObject({ json: '0' });
  });

  it('has a time limit, also one for the time that it holds the event loop', async () => {
    const { run, server } = shell();
    expect(await run('await new Promise(() => undefined);', { timeoutMs: 20 })).toMatchObject({
      status: 'error',
      type: 'timeout',
      message: 'no value within 20 ms',
    });
    expect(await run('for (;;);')).toMatchObject({ type: 'timeout', message: 'it held the node for 1000 ms' });
    expect(server.callsInFlight).toBe(0);
  });

  it('leaves no module on the node', async () => {
    const { run, server } = shell();
    const before = Object.keys(server.describe());
    await run('return 1;');
    expect(Object.keys(server.describe())).toEqual(before);
    expect(server.describeDraining()).toEqual([]);
  });
});
