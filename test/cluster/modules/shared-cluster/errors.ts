import { describe, expect } from 'vitest';

import { shortRevision } from '../../../../protocol/revision.ts';
import { it } from './cluster.ts';
import { moduleOnFred, valueOnFred } from './fred.ts';

describe('call --stack', () => {
  it('shows the stack of an error: module, revision, file, line and column', async ({ cluster }) => {
    const inner = `interface Wish {\n  text: string;\n}\n\nexport function refuse(wish: Wish): never {\n  throw new RangeError(wish.text);\n}\n`;
    const outer = `import { refuse } from 'hot:inner';\n\nexport async function ask(text: string) {\n  await undefined;\n  return refuse({ text });\n}\n`;
    cluster.writeModule('inner', inner);
    cluster.writeModule('outer', outer);
    const at = {
      inner: `inner@${shortRevision((await cluster.push('inner')).revision)}`,
      outer: `outer@${shortRevision((await cluster.push('outer')).revision)}`,
    };
    const { exitCode, stdout } = await cluster.hotcast('call', 'outer.ask("not today")', '--node', 'fred', '--stack');
    expect({ exitCode, lines: stdout.trimEnd().split('\n') }).toEqual({
      exitCode: 1,
      lines: [
        'fred  RangeError: not today',
        expect.stringMatching(`^ {4}at \\S*refuse \\(${at.inner} modules/inner\\.ts:6:9\\)$`) as string,
        expect.stringMatching(`^ {4}at \\S*ask \\(${at.outer} modules/outer\\.ts:5:10\\)$`) as string,
      ],
    });
    const plain = await cluster.hotcast('call', 'outer.ask("not today")', '--node', 'fred');
    expect(plain.stdout).toBe('fred  RangeError: not today\n');
  });
});

describe('an error with a cause', () => {
  it('is shown and logged with causes, codes and parts, mapped, and without frames of the node', async ({
    cluster,
  }) => {
    const source = `
type Wish = { text: string };

export async function fail(wish: Wish) {
  const lost = Object.assign(new Error('lost'), { code: 'ECONNRESET' });
  throw new Error(wish.text, { cause: new AggregateError([lost, new TypeError('odd')], 'all failed') });
}

export function print(wish: Wish) {
  console.error(new RangeError(wish.text));
  console.log({ nested: new TypeError('within') });
}
`;
    cluster.writeModule('causes', source);
    const at = `causes@${shortRevision((await cluster.push('causes')).revision)} modules/causes.ts`;
    const failed = await cluster.hotcast('call', `causes.fail({ text: 'no' })`, '--node', 'fred');
    expect(failed.stdout).toBe(
      'fred  Error: no; cause: AggregateError: all failed [Error: lost (ECONNRESET); TypeError: odd]\n',
    );
    const stack = await cluster.hotcast('call', `causes.fail({ text: 'no' })`, '--node', 'fred', '--stack');
    expect(stack.stdout).toContain(`[cause]: AggregateError: all failed\n`);
    expect(stack.stdout).toContain(`(${at}:6:`);
    const { result } = await cluster.call(`causes.fail({ text: 'no' })`, '--node', 'fred');
    const errors = [{ code: 'ECONNRESET', message: 'lost' }, { type: 'TypeError' }];
    expect(result.nodes).toMatchObject([{ cause: { type: 'AggregateError', errors } }]);

    const printed = await cluster.call(`causes.print({ text: 'not so far' })`, '--node', 'fred');
    expect(printed.result.nodes).toMatchObject([
      {
        output: [
          'RangeError: not so far',
          expect.stringContaining(`(${at}:10:17)`) as string,
          '{',
          '  nested: TypeError: within',
          expect.stringContaining(`(${at}:11:25)`) as string,
          '}',
        ],
      },
    ]);
  });
});

describe('an uncaught error', () => {
  it.for([
    ['in a timer', `setTimeout(() => {\n    throw new TypeError('lost');\n  }, 1)`],
    ['in a promise', `void (async () => {\n    throw new TypeError('lost');\n  })()`],
    ['in a callback of Node', `readFile('/nowhere', () => {\n    throw new TypeError('lost');\n  })`],
  ] as const)(
    'is logged with module and revision, is counted, and does not end the node: %s',
    async ([, statement], { cluster }) => {
      const source = `import { readFile } from 'node:fs'; export function lose() {\n  ${statement};\n}\nexport const also = readFile;\n`;
      cluster.writeModule('loser', source);
      const revision = shortRevision((await cluster.push('loser')).revision);
      const before = await moduleOnFred(cluster, 'loser');
      expect(before.module).toMatchObject({ errors: 0 });

      await valueOnFred(cluster, 'loser.lose()');
      const { err, node } = await cluster.waitForLog(
        'fred',
        each => each.module === 'loser' && each.revision === revision && each.err !== undefined,
      );
      expect({ node, type: err?.type, message: err?.message }).toEqual({
        node: 'fred',
        type: 'TypeError',
        message: 'lost',
      });
      expect(err?.stack).toContain(`loser@${revision} modules/loser.ts:3:11`);

      const after = await moduleOnFred(cluster, 'loser');
      expect(after.process).toEqual(before.process);
      expect(after.module).toMatchObject({ errors: 1, calls: 1 });
    },
  );
});
