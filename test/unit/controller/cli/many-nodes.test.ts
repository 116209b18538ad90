import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { CallResult } from '../../../../controller/src/api/results.ts';
import { render } from '../../../../controller/src/cli/render/render.ts';
import { HELP } from '../../../../controller/src/cli/shell/help.ts';
import { ROOT } from '../../../support/shell.ts';
import { thirtyNodes } from './thirty-nodes.ts';

const value = (node: string, json: string, output: string[] = []) =>
  ({ node, status: 'value', revision: 'a'.repeat(64), json, output }) as const;

const call = (nodes: CallResult['nodes']): CallResult => ({ ...thirtyNodes.call, nodes });

describe('render of thirty nodes and twenty modules', () => {
  it.each(Object.entries(thirtyNodes))('fits a terminal of 80 × 24: %s', (_, result) => {
    const lines = render(result).split('\n');
    // The last line is the prompt's.
    expect(lines.length).toBeLessThan(24);
    expect(lines.filter(line => line.length > 80)).toEqual([]);
  });

  it('fits it on a real fleet too, in the screens of docs/cli.md', () => {
    const folder = join(ROOT, 'docs/generate/screens');
    const screens = readdirSync(folder).map(name => readFileSync(join(folder, name), 'utf8').split('\n'));
    expect(screens).toHaveLength(5);
    for (const lines of screens) {
      expect(lines[0]).toMatch(/^\$ hotcast /);
      expect(lines.length).toBeLessThanOrEqual(24);
      expect(lines.filter(line => line.length > 80)).toEqual([]);
    }
  });

  it('counts the nodes that loaded, with their times, and names those that did not', () => {
    expect(render(thirtyNodes.push).split('\n').slice(0, 3)).toEqual([
      'loaded  29 nodes  p50 18.4 ms  max 23.9 ms',
      'silent  hoppy     should have answered and did not',
      expect.stringMatching(/^demo@[0-9a-f]{12} committed · 29 loaded · 1 silent · p50 18\.4 ms · max 23\.9 ms$/),
    ]);
  });

  it('counts the nodes that gave the same answer, and names those that gave another', () => {
    expect(render(thirtyNodes.call).split('\n')).toEqual([
      '9  ← 28 nodes',
      'undef: module demo is not loaded on node barney  ← barney',
      'silent: no answer in time (wait longer with --timeout 60s)  ← hoppy',
    ]);
  });

  it('counts the nodes of each module, and names those that differ', () => {
    const lines = render(thirtyNodes.status).split('\n');
    // Two modules a line.
    expect(lines[0]).toMatch(/^MODULE +DESIRED +NODES +MODULE +DESIRED +NODES$/);
    expect(
      lines
        .slice(1, 11)
        .join('\n')
        .match(/ 29 of 30/g),
    ).toHaveLength(19);
    expect(lines.filter(line => /^demo +[0-9a-f]{12} +28 of 30 {4}\S/.test(line))).toHaveLength(1);
    expect(lines[11]).toMatch(/^demo {2}refused/);
    expect(lines.slice(-2)).toEqual([
      'demo  refused: on_load_failure: Error: no licence, runs nothing  ← barney',
      '21 of 600 are not on their head; silent: hoppy',
    ]);
  });

  it('has a row for each module when two do not fit a line', () => {
    const { status } = thirtyNodes;
    const nodes = status.nodes.map(row => ({ ...row, module: `${row.module}-${'x'.repeat(20)}` }));
    const lines = render({ ...status, nodes }).split('\n');
    expect(lines.filter(line => / \d\d of 30$/.test(line))).toHaveLength(20);
  });

  it('counts the modules of a push that are many, and has their names below', () => {
    const modules = thirtyNodes.status.heads.map(({ module, revision }) => ({ module, revision: revision ?? '' }));
    const lines = render({ ...thirtyNodes.push, modules }).split('\n');
    expect(lines[2]).toMatch(/^20 modules committed · 29 loaded · 1 silent/);
    expect(lines[3]).toMatch(/^ {2}accounts@\w{12} basket@\w{12} /);
    expect(lines.filter(line => line.length > 80)).toEqual([]);
  });

  it('has a block for the nodes that run the same, with their names', () => {
    const lines = render(thirtyNodes.nodes).split('\n');
    expect(lines[0]).toBe('28 nodes  up 2 h  45–50 MiB  20 modules');
    expect(lines.filter(line => !line.startsWith(' ')).slice(1)).toEqual([
      '1 node  up 2 h  49 MiB  19 modules',
      '1 node  silent',
    ]);
    expect(lines[1]).toMatch(/^ {2}fred bambam betty wilma /);
    expect(lines.slice(-4)).toEqual([
      '  barney',
      expect.stringMatching(/^ {2}\(without demo@[0-9a-f]{12}\) \(refuses demo: on_load_failure\)$/),
      '1 node  silent',
      '  hoppy',
    ]);
  });

  it.each(Object.values(thirtyNodes))('has a line a node when that was asked for: $command', result => {
    const lines = render(result, true).split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(30);
    expect(lines.filter(line => / nodes |← /.test(line))).toEqual([]);
  });
});

describe('render of a call on many nodes', () => {
  const names = Array.from({ length: 9 }, (_, index) => `n${index}`);

  it('folds what nodes printed alike', () => {
    const nodes = names.map(name => value(name, '9', name === 'n3' ? ['alone'] : ['boss']));
    expect(render(call(nodes)).split('\n')).toEqual(['8 nodes | boss', '9  ← 8 nodes', 'n3 | alone', '9  ← n3']);
  });

  it('has a line a node when all answers differ, or the list is short', () => {
    expect(render(call(names.map((name, index) => value(name, String(index))))).split('\n')).toHaveLength(9);
    expect(render(call(names.slice(1).map(name => value(name, '9')))).split('\n')).toHaveLength(8);
  });

  it('names five of the nodes that differ', () => {
    const many = Array.from({ length: 20 }, (_, index) => value(`m${index}`, index < 8 ? '1' : '2'));
    expect(render(call(many)).split('\n')).toEqual(['2  ← 12 nodes', '1  ← m0, m1, m2, m3, m4 and 3 more']);
  });
});

it('the help of the shell fits a terminal of 80 × 24', () => {
  const lines = HELP.split('\n');
  expect(lines.length).toBeLessThan(23);
  expect(lines.filter(line => line.length > 80)).toEqual([]);
});
