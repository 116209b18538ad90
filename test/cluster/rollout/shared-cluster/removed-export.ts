import { describe, expect } from 'vitest';

import { it } from './cluster.ts';

describe('an export that a push removes', () => {
  it('is named in a warning with the module that imports it, and the push continues', async ({ cluster }) => {
    cluster.writeModule('sums', `export const plus = (x, y) => x + y; export const unused = 1;`);
    cluster.writeModule('caller', `import { plus } from 'hot:sums'; export const three = () => plus(1, 2);`);
    await cluster.pushTogether(['sums', 'caller']);
    cluster.writeModule('sums', `export const minus = (x, y) => x - y;`);
    expect(await cluster.hotcast('push', 'sums')).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/^warning: sums [^\n]*\bplus\b[^\n]*\bcaller\b[^\n]*\n$/) as string,
    });
  });
});
