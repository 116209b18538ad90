import { describe, expect, it } from 'vitest';

import { complete } from '../../../../../controller/src/cli/shell/completion.ts';

const known = {
  nodes: ['fred', 'bambam', 'betty'],
  modules: new Map([
    ['demo', ['add', 'addAll']],
    ['my-web', ['fetch']],
  ]),
  sources: ['counter', 'demo'],
};

describe('completion', () => {
  it.each<[string, string[], string]>([
    ['.o', ['.on'], '.o'],
    ['.on ', ['fred', 'bambam', 'betty', 'all'], ''],
    ['.on b', ['bambam', 'betty'], 'b'],
    ['ping(b', ['bambam', 'betty'], 'b'],
    ["net_adm:ping('be", ['betty'], 'be'],
    ['c(', ['counter', 'demo', 'my-web'], ''],
    ['nl(de', ['demo'], 'de'],
    ['code:purge(d', ['demo'], 'd'],
    ['push c', ['counter'], 'c'],
    ['push counter d', ['demo'], 'd'],
    ['demo.', ['demo.add', 'demo.addAll'], 'demo.'],
    ['demo:a', ['demo:add', 'demo:addAll'], 'demo:a'],
    ['1 + demo.ad', ['demo.add', 'demo.addAll'], 'demo.ad'],
    ['my-web.f', ['my-web.fetch'], 'my-web.f'],
    ['net_adm:', ['net_adm:ping('], 'net_adm:'],
    ['de', ['demo'], 'de'],
    ['1 + de', ['demo'], 'de'],
    ['pu', ['push '], 'pu'],
    ['2 * to', ['total'], 'to'],
    ['nothing.', [], 'nothing.'],
  ])('of %j is %j', (line, words, part) => {
    expect(complete(line, ['total'], known)).toEqual([words, part]);
  });
});
