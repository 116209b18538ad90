import { describe, expect, it } from 'vitest';

import { type Entry, readEntry } from '../../../../../controller/src/cli/shell/entry.ts';

const add = { type: 'call' as const, call: 'demo.add(1, 2)', module: 'demo', name: 'add', arity: 2 };

describe('a line of the shell', () => {
  it.each<[string, Entry]>([
    ['c(demo).', { type: 'compile', module: 'demo', answer: 'ok' }],
    ['  c( demo ) .  % compile', { type: 'compile', module: 'demo', answer: 'ok' }],
    ["c('my-module').", { type: 'compile', module: 'my-module', answer: 'ok' }],
    ['l(demo).', { type: 'compile', module: 'demo', answer: 'module' }],
    ['compile demo', { type: 'compile', module: 'demo', answer: 'ok' }],
    ['m(demo).', { type: 'info', module: 'demo' }],
    ['nl(demo).', { type: 'push', modules: ['demo'], isErlang: true }],
    ['push demo', { type: 'push', modules: ['demo'], isErlang: false }],
    ['push demo counter', { type: 'push', modules: ['demo', 'counter'], isErlang: false }],
    ["net_adm:ping('betty@127.0.0.1').", { type: 'ping', node: 'betty' }],
    ['net_adm:ping(betty@dino).', { type: 'ping', node: 'betty' }],
    ['ping(betty).', { type: 'ping', node: 'betty' }],
    ['ping(betty)', { type: 'ping', node: 'betty' }],
    ['ping betty', { type: 'ping', node: 'betty' }],
    ['node().', { type: 'node' }],
    ['erlang:node().', { type: 'node' }],
    ['nodes().', { type: 'nodes' }],
    ['erlang:get_cookie().', { type: 'cookie' }],
    ['code:purge(demo).', { type: 'purge', module: 'demo', force: true }],
    ['code:soft_purge(demo).', { type: 'purge', module: 'demo', force: false }],
    ['q().', { type: 'quit' }],
    ['.exit', { type: 'quit' }],
    ['.help', { type: 'help' }],
    ['.on betty', { type: 'on', node: 'betty' }],
    ['.on betty@dino', { type: 'on', node: 'betty' }],
    ['.on all', { type: 'on', node: null }],
    ['demo:add(1,2).', add],
    ['demo:add(1,\n2)', add],
    ['demo.add(4, 5)', { type: 'script', source: 'demo.add(4, 5)' }],
    ['c(demo).length', { type: 'script', source: 'c(demo).length' }],
    ['nodes().length', { type: 'script', source: 'nodes().length' }],
    ['const x = { a: 1 }', { type: 'script', source: 'const x = { a: 1 }' }],
  ])('%s', (line, entry) => {
    expect(readEntry(line)).toEqual({ type: 'entries', entries: [entry] });
  });

  it('can have several forms of Erlang', () => {
    const entries = [
      { type: 'compile', module: 'demo', answer: 'ok' },
      { type: 'push', modules: ['demo'], isErlang: true },
    ];
    expect(readEntry('c(demo), nl(demo).')).toEqual({ type: 'entries', entries });
    expect(readEntry('c(demo). nl(demo).')).toEqual({ type: 'entries', entries });
  });

  it.each(['', '   ', '% nothing', '// nothing'])('%j asks for nothing', line => {
    expect(readEntry(line)).toEqual({ type: 'entries', entries: [] });
  });

  it.each([
    ['-1, +2.5e3, 1_000', '-1, +2.5e3, 1_000'],
    ['ok, true, undefined', '"ok", true, undefined'],
    [`'it\\'s', "a\\nb", <<"bytes">>, <<>>`, `"it's", "a\\nb", "bytes", ""`],
    ['[1, [a], {x, 2}]', '[1, ["a"], ["x", 2]]'],
    ['#{a => 1, "b" => #{}}', '{ ["a"]: 1, ["b"]: {} }'],
  ])('gives the terms %s to a function', (terms, args) => {
    expect(readEntry(`m:f(${terms}).`)).toMatchObject({ entries: [{ type: 'call', call: `m.f(${args})` }] });
  });

  it.each([
    ['demo:add(X, 2).', "variable 'X' is unbound"],
    ['demo:add(1;2).', "syntax error before: ';'"],
    ['demo:add(1,2). x', "syntax error before: 'x'"],
    ['.on', 'name a node: .on betty, or .on all'],
    ['.nothing', 'there is no command .nothing (see .help)'],
  ])('%s is malformed: %s', (line, problem) => {
    expect(readEntry(line)).toEqual({ type: 'malformed', problem });
  });

  it.each([
    'demo:add(1,',
    "demo:say('it",
    'demo.add(4,',
    'const f = () => {',
    'x =',
    '1 +',
    '`a ${b',
    '`a ${`b`} {',
    'await',
    '[1, // ]',
    '/* a',
  ])('%s goes on in the next line', line => {
    expect(readEntry(line)).toEqual({ type: 'incomplete' });
  });

  it.each(['/[(]/.test("(")', '"("', '`{`', "'[' + '('", 'x = /[{]/g', 'i++', '`${"}"}`', 'a)'])(
    '%s does not go on',
    source => {
      expect(readEntry(source)).toEqual({ type: 'entries', entries: [{ type: 'script', source }] });
    },
  );
});
