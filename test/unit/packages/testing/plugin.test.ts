import { expect, it } from 'vitest';

import { filesOfPage, runVitest } from '../../../support/testing-page.ts';
import { projects } from '../../projects.ts';

/** On a busy machine, the start of vitest takes long (milliseconds). */
const TIMEOUT_MS = 90_000;

const project = projects();
const { 'vitest.config.ts': config = '', ...page } = filesOfPage();

const COUNTER = `
  const data = import.meta.hot.dataOf({ count: 0 });
  export const increment = (by = 1): number => (data.count += by);
`;

const GREETER = `import { increment } from 'hot:counter';
export const greet = (name: string): string => \`Hello \${name}, number \${increment()}\`;
export const fail = (): never => {
  throw new RangeError('no rocks');
};
`;

const TEST = `
  import { testRuntime } from '@hotcast/testing';
  import { expect, test } from 'vitest';

  import { fail, greet } from 'hot:greeter';
  import { increment } from '../modules/counter.ts';

  test('an import reaches the current version', async () => {
    expect([increment(), greet('Fred')]).toEqual([1, 'Hello Fred, number 2']);
    await testRuntime().swap('counter', { edit: text => text.replace('by = 1', 'by = 10') });
    expect([increment(), greet('Fred')]).toEqual([12, 'Hello Fred, number 22']);
  });

  test('an error', () => {
    fail();
  });
`;

const vitest = (files: Readonly<Record<string, string>>): Promise<string> =>
  runVitest(project, { 'vitest.config.ts': config, ...files }, 'test/counter.test.ts');

it(
  'has tests import modules as a node runs them, and shows where in a module an error is',
  async () => {
    const output = await vitest({
      'modules/counter.ts': COUNTER,
      'modules/greeter.ts': GREETER,
      'test/counter.test.ts': TEST,
    });
    expect(output).toContain('1 failed | 1 passed');
    expect(output).toMatch(/RangeError: no rocks\n ❯ fail modules\/greeter\.ts:4:9/);
  },
  TIMEOUT_MS,
);

it(
  'finds the modules folder that hotcast.config.ts names',
  async () => {
    const output = await vitest({
      'hotcast.config.ts': `export default { modules: 'src/hot' };`,
      'vitest.config.ts': config.replace("{ modules: './modules' }", ''),
      'modules/.keep': '',
      'src/hot/counter.ts': COUNTER,
      'test/counter.test.ts': `
        import { expect, test } from 'vitest';
        import { increment } from 'hot:counter';
        test('counts', () => expect(increment()).toBe(1));
      `,
    });
    expect(output).toMatch(/ Tests {2}1 passed \(1\)/);
  },
  TIMEOUT_MS,
);

it(
  'shows the error of a module that does not compile with the test that imports it',
  async () => {
    const output = await vitest({
      'modules/counter.ts': 'export const f = () => {\n  return 1 +;\n};\n',
      'test/counter.test.ts': `import { test } from 'vitest';\nimport '../modules/counter.ts';\ntest('x', () => {});\n`,
    });
    expect(output).toMatch(/modules\/counter\.ts:2:13: Unexpected ";"\n.*2 \| {3}return 1 \+;/);
  },
  TIMEOUT_MS,
);

it(
  'runs the unit tests of docs/testing.md',
  async () => {
    expect(await vitest(page)).toMatch(/ Tests {2}3 passed \(3\)/);
  },
  TIMEOUT_MS,
);
