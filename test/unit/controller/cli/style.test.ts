import { stripVTControlCharacters } from 'node:util';

import { describe, expect, it } from 'vitest';

import { progressLine } from '../../../../controller/src/cli/progress.ts';
import { render } from '../../../../controller/src/cli/render/render.ts';
import { bad, doubtful, good, withColors } from '../../../../controller/src/cli/style.ts';
import { thirtyNodes } from './thirty-nodes.ts';

const [GREEN, YELLOW, RED] = ['\u001B[32m', '\u001B[33m', '\u001B[31m'];

describe('with colours', () => {
  const colored = (result: Parameters<typeof render>[0]): string => withColors(true, () => render(result));

  it('says the same, in the same columns', () => {
    const all = Object.values(thirtyNodes);
    const plain = all.map(result => render(result));
    expect(all.map(colored)).not.toEqual(plain);
    expect(all.map(colored).map(stripVTControlCharacters)).toEqual(plain);
  });

  it('has green for what is as it should be, yellow for what is silent, and red for what is wrong', () => {
    const push = colored(thirtyNodes.push);
    expect(push).toContain(`${YELLOW}silent`);
    expect(push).toContain(`${GREEN}committed`);
    expect(colored(thirtyNodes.call)).toContain(`${RED}undef: module demo`);
    expect(colored(thirtyNodes.status)).toContain(`${RED}refused: on_load_failure`);
  });

  it('leaves the values of modules alone', () => {
    const node = { node: 'fred', revision: 'a', json: '"refused"', output: ['refused'] };
    const text = colored({ ...thirtyNodes.call, nodes: [{ ...node, status: 'value' }] });
    expect(text).toBe(stripVTControlCharacters(text));
  });
});

it('without colours, nothing is styled', () => {
  expect([good('a'), doubtful('b'), bad('c')]).toEqual(['a', 'b', 'c']);
});

describe('the line of a phase', () => {
  it.each([
    [0, 30, '░░░░░░░░░░░░░░░░░░░░░░░░ 0/30'],
    [29, 30, '███████████████████████░ 29/30'],
    [30, 30, '████████████████████████ 30/30'],
    // A node that joined meanwhile.
    [31, 30, '████████████████████████ 31/30'],
  ])('has a bar of %i answers of %i', (answered, expected, bar) => {
    const line = progressLine({ phase: 'prepare', answered, expected });
    expect(line).toBe(`prepare           ${bar}`);
    expect(line.length).toBeLessThan(80);
  });
});
