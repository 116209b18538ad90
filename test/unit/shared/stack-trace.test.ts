import { inspect } from 'node:util';

import { describe, expect, it } from 'vitest';

import { mapStack, mapText, scriptIn } from '../../../shared/stack-trace.ts';
import { scriptName } from '../../../node-image/src/modules/version.ts';
import { type Bundle, packMap } from '../../../protocol/bundle.ts';
import { fastest } from '../../support/fastest.ts';
import { bundleOf } from '../fixtures.ts';
import { hosts } from '../node-image/modules/host.ts';
import { hostiles } from './hostile-values.ts';

const host = hosts();

// The types move the positions of all code after them.
const DEMO = `interface Numbers {
  readonly list: readonly number[];
}

export function average({ list }: Numbers): number {
  if (list.length === 0) throw new RangeError('no numbers');
  return list.reduce((sum, n) => sum + n) / list.length;
}

export async function later(numbers: Numbers): Promise<number> {
  await undefined;
  return average(numbers);
}
`;

const CALLER = `import { average, later } from 'hot:demo';

type Nothing = { list: [] };

export function now(): number {
  return average({ list: [] } satisfies Nothing);
}

export const soon = async (): Promise<number> => later({ list: [] });
`;

/** The stack of a failed call, with the error in the first line. */
async function stackOf(answer: Promise<object>): Promise<string[]> {
  const { stack } = (await answer) as { stack?: string };
  return stack?.split('\n') ?? [];
}

describe('the stack of a call', () => {
  it('has the revision and the file, line and column of the TypeScript source, and ends in the module', async () => {
    const node = host();
    const [demo] = await node.push({ demo: DEMO });
    const at = demo === undefined ? '' : scriptName(demo);
    expect(await stackOf(node.call('demo', 'average', { list: [] }))).toEqual([
      'RangeError: no numbers',
      `    at Object.average (${at} modules/demo.ts:6:32)`,
    ]);
    expect(await stackOf(node.call('demo', 'later', { list: [] }))).toEqual([
      'RangeError: no numbers',
      `    at average (${at} modules/demo.ts:6:32)`,
      `    at Object.later (${at} modules/demo.ts:12:10)`,
    ]);
  });

  it('names each of its modules with its revision', async () => {
    const node = host();
    const [demo = '', caller = ''] = (await node.push({ demo: DEMO, caller: CALLER })).map(scriptName);
    expect(await stackOf(node.call('caller', 'now'))).toEqual([
      'RangeError: no numbers',
      expect.stringContaining(`average (${demo} modules/demo.ts:6:32)`) as string,
      `    at Object.now (${caller} modules/caller.ts:6:10)`,
    ]);
  });

  it('names the file that a module imports', async () => {
    const node = host();
    const help = 'export const help = (): never => {\n  throw new Error("no");\n};';
    const [helper = '', demo = ''] = (
      await node.push({ helper: help, demo: `import { help } from './helper.ts';\nexport const f = () => help();` })
    ).map(scriptName);
    expect(await stackOf(node.call('demo', 'f'))).toEqual([
      'Error: no',
      `    at help (${demo} modules/helper.ts:2:9)`,
      `    at Object.f (${demo} modules/demo.ts:2:24)`,
    ]);
    expect(helper).not.toBe(demo);
  });

  it('keeps the revision that threw it, after the next push', async () => {
    const node = host();
    const source = `let kept: Error | undefined;
      export const keep = (): void => { kept = new Error('kept'); import.meta.hot.data['kept'] = kept; };`;
    const [first = ''] = (await node.push({ demo: source })).map(scriptName);
    await node.call('demo', 'keep');
    await node.push({ demo: `export const rethrow = (): never => { throw import.meta.hot.data['kept']; };` });
    expect(await stackOf(node.call('demo', 'rethrow'))).toEqual([
      'Error: kept',
      expect.stringContaining(`${first} modules/demo.ts:2:`) as string,
    ]);
  });
});

describe('a change of Error by a module', () => {
  const breakError = (statement: string): string => `${DEMO}
    ${statement}
    export function breakError(): void { ${statement} }`;

  it.each([
    ['prepareStackTrace', `Error.prepareStackTrace = () => 'nothing';`],
    ['a frozen prepareStackTrace', `Object.assign(Error, { prepareStackTrace: () => { throw new Error('no'); } });`],
    ['stackTraceLimit', `Error.stackTraceLimit = 0;`],
  ])('does not remove the stacks of other modules: %s', async (_, statement) => {
    const node = host();
    const [, demo] = await node.push({ bad: breakError(statement), demo: DEMO });
    await node.call('bad', 'breakError');
    expect(await stackOf(node.call('demo', 'average', { list: [] }))).toEqual([
      'RangeError: no numbers',
      `    at Object.average (${demo && scriptName(demo)} modules/demo.ts:6:32)`,
    ]);
  });
});

const map = packMap('{"version":3,"sources":["modules/demo.ts"],"names":[],"mappings":"AAEI"}'); // 1:1 is 3:5.
const bundle: Bundle = { ...bundleOf('demo', 'x'), map };
const at = scriptName(bundle);
const find = (script: string): Bundle | null => (script === at ? bundle : null);

/** An error that a module threw, as the node's own code called it. */
function thrownAt(message: string, options?: ErrorOptions, name = 'f'): Error {
  const own = new URL('../../../node-image/src/modules/invoke.ts', import.meta.url).href;
  const frames = [
    `call (${own}:1:1)`,
    `${name} (${at}:1:1)`,
    `run (${own}:1:1)`,
    `async ${name}2 (${at}:1:1)`,
    `${name} (${own}:1:1)`,
  ];
  const stack = [`Error: ${message}`, ...frames.map(frame => `at ${frame}`), 'at node:vm:1:1'].join('\n    ');
  return Object.assign(new Error(message, options), { stack });
}

describe('mapStack', () => {
  it('maps positions of modules, keeps other positions, and leaves out the frames below', () => {
    const stack = [
      'Error: no',
      '    at node:fs:1:1',
      `    at f (${at}:1:1)`,
      '    at Array.map (<anonymous>)',
      `    at async ${at}:1:9`,
      '    at call (file:///app/node.mjs:1:1)',
    ];
    expect(mapStack(String(thrownAt('no').stack), find).split('\n')).toEqual([
      'Error: no',
      `    at f (${at} modules/demo.ts:3:5)`,
      `    at async f2 (${at} modules/demo.ts:3:5)`,
    ]);
    expect(mapStack(stack.join('\n'), find).split('\n')).toEqual([
      'Error: no',
      '    at node:fs:1:1',
      `    at f (${at} modules/demo.ts:3:5)`,
      '    at Array.map (<anonymous>)',
      expect.stringMatching(`^ {4}at async ${at} modules/demo\\.ts:3:`) as string,
    ]);
  });

  it('does not change a stack without a module', () => {
    const stack = 'Error: no\n    at node:fs:1:1\n    at demo@short:1:1';
    expect(mapStack(stack, find)).toBe(stack);
  });

  it.each([
    ['missing, with its bundle', null],
    ['not JSON', '{'],
    ['not a map', '{}'],
    ['null', 'null'],
    ['not packed', Buffer.from('{}')],
    ['empty', '{"version":3,"sources":[],"names":[],"mappings":""}'],
  ])('does not change positions when the map is %s', (_, broken) => {
    const stack = `Error: no\n    at f (${at}:1:1)`;
    expect(
      mapStack(stack, () =>
        broken === null ? null : { ...bundle, map: typeof broken === 'string' ? packMap(broken) : broken },
      ),
    ).toBe(stack);
  });
});

describe('mapText', () => {
  it('maps each stack in a printed text, and shows nothing of the node', () => {
    const text = inspect({ failed: [thrownAt('outer', { cause: thrownAt('inner', {}, 'g') })] }, { depth: null });
    expect(mapText(text, find)).toBe(
      [
        '{',
        '  failed: [',
        '    Error: outer',
        `        at f (${at} modules/demo.ts:3:5)`,
        `        at async f2 (${at} modules/demo.ts:3:5) {`,
        '      [cause]: Error: inner',
        `          at g (${at} modules/demo.ts:3:5)`,
        `          at async g2 (${at} modules/demo.ts:3:5)`,
        '    }',
        '  ]',
        '}',
      ].join('\n'),
    );
  });

  it.each([
    ['a long line', `Error: ${'z'.repeat(65_000)}\n    at f (${at}:1:1)`],
    ['empty lines', `${'\n'.repeat(65_000)}    at f (${at}:1:1)`],
    ['many frames', `    at f (${at}:1:1)\n`.repeat(2_000)],
  ])('takes little time for %s', (_, text) => {
    const ms = fastest(() => expect(mapText(text, find)).toContain('modules/demo.ts:3:5'));
    expect(ms).toBeLessThan(1_000);
  });

  it('does not change other texts', () => {
    const text = `meet\n  at noon\n ${at}:1:1\n    at node:fs:1:1 {`;
    expect(mapText(text, find)).toBe(text);
  });
});

describe('scriptIn', () => {
  const errorAt = (...frames: string[]): Error => Object.assign(new Error('no'), { stack: frames.join('\n') });

  it('is the topmost module', () => {
    const [inner, outer] = [`inner@${'a'.repeat(12)}`, `outer@${'b'.repeat(12)}`];
    const error = errorAt('Error: no', ' at node:fs:1:1', ` at f (${inner}:1:1)`, ` at ${outer}:2:2`);
    expect(scriptIn(error)).toBe(inner);
  });

  it.each([['an error of Node', errorAt('Error: no', ' at node:fs:1:1')], ['a text', 'a text'], ...hostiles])(
    'is null without a module: %s',
    (_, thrown) => {
      expect(scriptIn(thrown)).toBeNull();
    },
  );
});
