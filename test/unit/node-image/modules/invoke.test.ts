import { describe, expect, it } from 'vitest';

import { call } from '../../../../node-image/src/modules/invoke.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { MAX_VALUE_BYTES } from '../../../../protocol/limits.ts';
import type { CallAnswer } from '../../../../protocol/messages.ts';
import { bundleOf, latch, headOf, recordingLog } from '../../fixtures.ts';

function nodeWith(code: string) {
  const server = new CodeServer(recordingLog());
  loadOn(server, code);
  return {
    server,
    call: (name: string, ...args: unknown[]): Promise<CallAnswer> =>
      call(server, 'fred', { module: 'demo', function: name, args }),
  };
}

function loadOn(server: CodeServer, code: string): void {
  const bundle = bundleOf('demo', code);
  server.prepare(bundle);
  expect(server.loadHere(bundle)).toEqual({ status: 'ok' });
}

const answer = (version: string) => `exports.answer = () => ${JSON.stringify(version)};`;

/** A function that waits for a latch and then returns its version, also through a call inside the module. */
const slow = (version: string) =>
  `const inner = () => ${JSON.stringify(version)}; exports.slow = async opened => { await opened; return inner(); };`;

describe('call', () => {
  it('returns the value as JSON, with the revision that ran', async () => {
    const code = 'exports.add = (x, y) => x + y;';
    expect(await nodeWith(code).call('add', 4, 5)).toEqual({
      status: 'value',
      node: 'fred',
      json: '9',
      revision: bundleOf('demo', code).revision,
      output: [],
    });
  });

  it('waits for a promise, and for what is like one', async () => {
    const then = '{ then: done => done({ x }) }';
    for (const code of ['async x => ({ x })', `x => (${then})`, `x => Object.assign(() => {}, ${then})`])
      expect(await nodeWith(`exports.f = ${code};`).call('f', 1)).toMatchObject({ json: '{"x":1}' });
  });

  it('returns no JSON for undefined', async () => {
    const given = await nodeWith('exports.f = () => {};').call('f');
    expect(given.status).toBe('value');
    expect(given).not.toHaveProperty('json');
  });

  it('is undef for a module that is not loaded', async () => {
    const server = new CodeServer(recordingLog());
    expect(await call(server, 'betty', { module: 'demo', function: 'add', args: [] })).toEqual({
      status: 'error',
      node: 'betty',
      failure: 'undef',
      type: 'undef',
      message: 'module demo is not loaded on node betty',
      output: [],
    });
  });

  it.each(['subtract', 'version', 'toString', 'constructor', '__proto__'])(
    'is undef for what is no exported function: %s',
    async name => {
      const node = nodeWith('exports.version = 1; exports.add = () => 1;');
      expect(await node.call(name)).toMatchObject({
        failure: 'undef',
        message: `module demo exports no function ${name} on node fred`,
      });
    },
  );

  it.each([
    [`throw new TypeError('no such number')`, 'TypeError', 'no such number'],
    [`return Promise.reject(new RangeError('too far'))`, 'RangeError', 'too far'],
    [`throw Object.assign(new Error('doo'), { name: 'Yabba' })`, 'Yabba', 'doo'],
    [`throw 'a text'`, 'string', 'a text'],
    [`throw undefined`, 'undefined', 'undefined'],
    [`throw { code: 7 }`, 'object', '{ code: 7 }'],
    [`throw Object.create(null)`, 'object', '[Object: null prototype] {}'],
  ])('names the type and the message of what was thrown: %s', async (body, type, message) => {
    const given = await nodeWith(`exports.f = () => { ${body}; };`).call('f');
    const { stack: _, ...rest } = given.status === 'error' ? given : {};
    expect(rest).toEqual({ status: 'error', node: 'fred', failure: 'exception', type, message, output: [] });
  });

  it('reaches the methods of an exported object, with the object as this', async () => {
    const { server } = nodeWith(`
      class Store { name = 'fred'; get(x) { return [this.name, x]; } }
      exports.store = new Store();
      exports.deep = { a: { 'b-c': () => 'deep' } };
      exports.default = () => 'default';
      exports['with-dash'] = () => 'dash';
      exports.broken = { get inner() { throw new RangeError('broken'); } };`);
    const at = async (name: string, ...path: string[]) =>
      call(server, 'fred', { module: 'demo', function: name, path, args: [1] });
    expect(await at('store', 'get')).toMatchObject({ json: '["fred",1]' });
    expect(await at('deep', 'a', 'b-c')).toMatchObject({ json: '"deep"' });
    expect(await at('default')).toMatchObject({ json: '"default"' });
    expect(await at('with-dash')).toMatchObject({ json: '"dash"' });
    expect(await at('broken', 'inner')).toMatchObject({ failure: 'exception', type: 'RangeError' });
    for (const path of [['toString'], ['constructor'], ['get', 'call'], ['name', 'at'], ['nosuch', 'x']]) {
      const message = `module demo exports no function ${['store', ...path].join('.')} on node fred`;
      expect(await at('store', ...path)).toMatchObject({ failure: 'undef', message });
    }
    expect(server.describe()['demo']).toMatchObject({ errors: 0 });
  });

  it('returns the stack of an error down to the module, and none for a value that is not an error', async () => {
    const node = nodeWith(`exports.f = () => { throw new RangeError('no'); }; exports.g = () => { throw 'a text'; };`);
    const at = `demo@${node.server.current('demo')?.revision.slice(0, 12)}`;
    expect(await node.call('f')).toMatchObject({ stack: `RangeError: no\n    at exports.f (${at}:1:27)` });
    expect(await node.call('g')).not.toHaveProperty('stack');
  });

  it('is undef when a function that it calls in another module does not exist', async () => {
    const node = nodeWith(`const other = require('hot:other'); exports.f = () => other.g();`);
    expect(await node.call('f')).toEqual({
      status: 'error',
      node: 'fred',
      failure: 'undef',
      type: 'undef',
      message: 'no export g of module other is loaded on node fred',
      output: [],
    });
  });

  it.each([
    ['() => [10n, NaN]', '[{"$type":"bigint","value":"10"},{"$type":"number","value":"NaN"}]'],
    ['() => new Map([[1, new Set()]])', '{"$type":"Map","value":[[1,{"$type":"Set","value":[]}]]}'],
    ['() => () => 1', '{"$type":"printed","text":"[Function (anonymous)]"}'],
  ])('encodes a value that JSON does not have: %s', async (body, json) => {
    expect(await nodeWith(`exports.f = ${body};`).call('f')).toMatchObject({ status: 'value', json });
  });

  it('returns an error that is a value with its stack, mapped', async () => {
    const node = nodeWith(`exports.f = () => [new RangeError('no')];`);
    const at = `demo@${node.server.current('demo')?.revision.slice(0, 12)}`;
    const given = await node.call('f');
    const value = { type: 'RangeError', message: 'no', stack: `RangeError: no\n    at exports.f (${at}:1:20)` };
    expect(given.status === 'value' && JSON.parse(given.json ?? '')).toEqual([
      { $type: 'Error', value, text: value.stack },
    ]);
  });

  it.each([
    `() => 'x'.repeat(${MAX_VALUE_BYTES})`,
    `() => 'é'.repeat(${MAX_VALUE_BYTES / 2})`,
    `() => new Uint8Array(${MAX_VALUE_BYTES})`,
    '() => new Array(4_000_000_000)',
  ])('is badvalue for a value that is too large: %s', async body => {
    const message = `the value is larger than ${MAX_VALUE_BYTES} bytes of JSON`;
    const given = await nodeWith(`exports.f = ${body};`).call('f');
    expect(given).toMatchObject({ failure: 'badvalue', type: 'badvalue', message });
  });

  it('returns a value that is just within the limit', async () => {
    const given = await nodeWith(`exports.f = () => 'x'.repeat(${MAX_VALUE_BYTES - 2});`).call('f');
    expect(given.status).toBe('value');
  });
});

describe('the causes of an error', () => {
  const code = `const failing = () => {
    throw new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'EINNER' }) });
  };
  exports.f = failing;`;

  it('are in the answer of a call', async () => {
    const cause = { type: 'Error', message: 'inner', code: 'EINNER' };
    expect(await nodeWith(code).call('f')).toMatchObject({ type: 'Error', message: 'outer', cause });
  });

  it('are in the refusal of a load and in the log', () => {
    const log = recordingLog();
    const server = new CodeServer(log);
    const bundle = bundleOf('demo', `${code} failing();`);
    server.prepare(bundle);
    const detail = 'Error: outer; cause: Error: inner (EINNER)';
    expect(server.dryRun([bundle])).toMatchObject({ status: 'refused', detail });
    expect(server.loadHere(bundle)).toMatchObject({ status: 'refused', detail });
    expect(log.logged.at(-1)?.fields).toMatchObject({ err: { cause: { message: 'inner', code: 'EINNER' } } });
  });

  it('have no frames of the node in what a module prints', async () => {
    const node = nodeWith(`exports.f = () => { console.error({ failed: new Error('printed') }); };`);
    const at = `demo@${node.server.current('demo')?.revision.slice(0, 12)}`;
    expect(await node.call('f')).toMatchObject({
      output: ['{', '  failed: Error: printed', `      at exports.f (${at}:1:45)`, '}'],
    });
  });
});

describe('what a module prints', () => {
  const saying = `exports.say = async (text, opened) => {
    console.log(text, 1);
    await opened;
    console.error(text, 2);
  };`;

  it('is returned with the answer, across every await', async () => {
    const { opened, open } = latch();
    const answered = nodeWith(saying).call('say', 'yabba', opened);
    open();
    expect((await answered).output).toEqual(['yabba 1', 'yabba 2']);
  });

  it('is not mixed between calls that run at the same time', async () => {
    const node = nodeWith(saying);
    const [first, second] = [latch(), latch()];
    const answers = [node.call('say', 'one', first.opened), node.call('say', 'two', second.opened)];
    second.open();
    await answers[1];
    first.open();
    expect((await Promise.all(answers)).map(({ output }) => output)).toEqual([
      ['one 1', 'one 2'],
      ['two 1', 'two 2'],
    ]);
  });

  it('is returned with an error too', async () => {
    const node = nodeWith(`exports.f = () => { console.log('before'); throw new Error('no'); };`);
    expect(await node.call('f')).toMatchObject({ status: 'error', output: ['before'] });
  });
});

describe('a call in flight', () => {
  it('ends on the version that it started on, and a new call gets the new one', async () => {
    const { server, call: ask } = nodeWith(slow('old'));
    const { opened, open } = latch();
    const started = ask('slow', opened);
    loadOn(server, slow('new'));
    const later = ask('slow', opened);
    open();
    expect(await started).toMatchObject({ json: '"old"', revision: bundleOf('demo', slow('old')).revision });
    expect(await later).toMatchObject({ json: '"new"', revision: bundleOf('demo', slow('new')).revision });
  });

  it('fails when its version is purged, and is not counted any more', async () => {
    const { server, call: ask } = nodeWith(slow('first'));
    const started = ask('slow', new Promise(() => undefined));
    loadOn(server, answer('second'));
    server.purge('demo');
    expect(await started).toMatchObject({
      status: 'error',
      failure: 'exception',
      type: 'purged',
      message: 'demo was purged while the call ran on its old version',
    });
    expect(server.callsInFlight).toBe(0);
    loadOn(server, answer('third'));
    expect(await ask('answer')).toMatchObject({ json: '"third"' });
  });

  it('is counted until it ends, across a swap', async () => {
    const { server, call: ask } = nodeWith(slow('old'));
    const { opened, open } = latch();
    const started = ask('slow', opened);
    expect(server.callsInFlight).toBe(1);
    loadOn(server, slow('new'));
    const later = ask('slow', opened);
    expect(server.callsInFlight).toBe(2);
    open();
    await Promise.all([started, later]);
    expect(server.callsInFlight).toBe(0);
  });

  it('is counted when its module was removed and pushed again', async () => {
    const { server, call: ask } = nodeWith(slow('old'));
    const { opened, open } = latch();
    const started = ask('slow', opened);
    server.commit([headOf('demo', null, 1)]);
    expect((await ask('slow')).status).toBe('error');
    loadOn(server, answer('new'));
    expect(server.callsInFlight).toBe(1);
    open();
    expect(await started).toMatchObject({ json: '"old"' });
    expect(server.callsInFlight).toBe(0);
  });

  it('is counted with its version when it has ended, failed or not', async () => {
    const { server, call: ask } = nodeWith(`exports.f = fails => { if (fails) throw new Error('no'); return 1n; };`);
    await Promise.all([ask('f', true), ask('f', false), ask('nosuch')]);
    expect(server.describe()['demo']).toMatchObject({ calls: 2, errors: 1 });
    loadOn(server, answer('new'));
    expect(server.describe()['demo']).toMatchObject({ calls: 0, errors: 0 });
  });

  it('is not counted any more when it throws', async () => {
    const { server, call: ask } = nodeWith(`exports.f = () => { throw new Error('no'); };`);
    await ask('f');
    expect(server.callsInFlight).toBe(0);
  });
});
