import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseCall } from '../../../../controller/src/commands/call-expression.ts';
import { UsageError } from '../../../../protocol/errors.ts';
import { moduleNames } from '../../fixtures.ts';

describe('parseCall', () => {
  it.each([
    ['demo.add(4, 5)', 'demo', 'add', [4, 5]],
    ['  demo.add ( 4,5 ) ; ', 'demo', 'add', [4, 5]],
    ['demo.now()', 'demo', 'now', []],
    ['two-words.run_$2()', 'two-words', 'run_$2', []],
    ['demo.greet("a, b) (c")', 'demo', 'greet', ['a, b) (c']],
    ['demo.f({"a": [1, null, true]}, "x")', 'demo', 'f', [{ a: [1, null, true] }, 'x']],
    ['demo.f(\n  1,\n  2\n)', 'demo', 'f', [1, 2]],
  ])('reads %j', (text, module, name, args) => {
    expect(parseCall(text)).toEqual({ module, function: name, args });
  });

  it('gives back every argument that JSON can say', () => {
    const name = fc.stringMatching(/^[A-Za-z_$][\w$]{0,20}$/);
    fc.assert(
      fc.property(moduleNames, name, fc.array(fc.jsonValue()), (module, called, args) => {
        const inner = args.map(arg => JSON.stringify(arg)).join(', ');
        const parsed = parseCall(`${module}.${called}(${inner})`);
        expect(parsed).toEqual({ module, function: called, args: JSON.parse(`[${inner}]`) as unknown[] });
        expect(JSON.stringify(parsed.args)).toBe(JSON.stringify(args));
      }),
    );
  });

  it.each(['', 'demo', 'demo.add', 'add(1)', 'demo.add(1', 'demo.add 1)', 'demo:add(1, 2).', '.add(1)', 'demo.(1)'])(
    'says how to write a call for %j',
    text => {
      expect(() => parseCall(text)).toThrow(
        new UsageError(`${JSON.stringify(text)} is no call: write it as 'demo.add(4, 5)'`),
      );
    },
  );

  it.each(['Demo.add(1)', '../demo.add(1)', 'a.b.add(1)', 'demo.2add(1)', 'hotcast.*.add(1)'])(
    'refuses a name that is no module or no function: %j',
    text => {
      expect(() => parseCall(text)).toThrow(/ is no call: /);
    },
  );

  it.each(["demo.greet('fred')", 'demo.add(x)', 'demo.add(1,)', 'demo.add(1) + demo.add(2)', 'demo.add(NaN)'])(
    'says that arguments are JSON for %j',
    text => {
      expect(() => parseCall(text)).toThrow(UsageError);
      expect(() => parseCall(text)).toThrow(/ are not JSON: write texts in double quotes/);
    },
  );

  it('can not be talked out of the list of arguments', () => {
    expect(() => parseCall('demo.add(1], "extra": [2)')).toThrow(/ are not JSON/);
  });
});
