import { stripVTControlCharacters } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { progressLine } from '../../../../controller/src/cli/progress.ts';
import { render } from '../../../../controller/src/cli/render/render.ts';
import { bad, doubtful, good, useColors } from '../../../../controller/src/cli/style.ts';
import { thirtyNodes } from './thirty-nodes.ts';

const [GREEN, YELLOW, RED] = ['\u001B[32m', '\u001B[33m', '\u001B[31m'];

describe('with colours', () => {
  let plain: string[];

  beforeEach(() => {
    plain = Object.values(thirtyNodes).map(result => render(result));
    useColors(true);
  });
  afterEach(() => useColors(false));

  it('says the same, in the same columns', () => {
    const colored = Object.values(thirtyNodes).map(result => render(result));
    expect(colored).not.toEqual(plain);
    expect(colored.map(stripVTControlCharacters)).toEqual(plain);
  });

  it('has green for what is as it should be, yellow for what is silent, and red for what is wrong', () => {
    const push = render(thirtyNodes.push);
    expect(push).toContain(`${YELLOW}silent`);
    expect(push).toContain(`${GREEN}committed`);
    expect(render(thirtyNodes.call)).toContain(`${RED}undef: module demo`);
    expect(render(thirtyNodes.status)).toContain(`${RED}refused: on_load_failure`);
  });

  it('leaves the values of modules alone', () => {
    const node = { node: 'fred', revision: 'a', json: '"refused"', output: ['refused'] };
    const text = render({ ...thirtyNodes.call, nodes: [{ ...node, status: 'value' }] });
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
