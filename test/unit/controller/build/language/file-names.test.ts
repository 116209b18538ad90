import { expect, it } from 'vitest';

import { compile } from '../../../../../controller/src/build/compile.ts';
import { unpackMap } from '../../../../../protocol/bundle.ts';
import { hosts } from '../../../node-image/modules/host.ts';
import { projects } from '../../../projects.ts';
import { calls } from './calls.ts';

const project = projects();
const host = hosts();
const valueOf = calls();

const source = `// A comment.
interface Shape { x: number }

const name: string = import.meta.url;
export function f(shape: Shape): string {
  if (shape.x > 0) throw new Error('too far');
  return name;
}
`;

it('keeps the positions of a file whose names are replaced, in its map and in stacks', async () => {
  const { bundle } = await compile(project({ 'modules/demo.ts': source }), 'demo');
  expect(JSON.parse(unpackMap(bundle.map))).toMatchObject({ sources: ['modules/demo.ts'], sourcesContent: [source] });
  const { push, call } = host();
  await push({ demo: source });
  expect(await call('demo', 'f', { x: 1 })).toMatchObject({ stack: expect.stringContaining('modules/demo.ts:6:26') });
});

it('gives every file its own names, also one that is CommonJS, and none to text that looks like one', async () => {
  const files = {
    'modules/demo.ts': `import { a } from './lib/a'; import b from './lib/b.cjs';
      const text = \`
// modules/lib/none.ts
\${import.meta.filename}\`;
      export const f = () => [a, b, text.trim(), import.meta.dirname];`,
    'modules/lib/a.ts': 'export const a = import.meta.filename;',
    'modules/lib/b.cjs': 'module.exports = __filename;',
  };
  expect(await valueOf(files)).toEqual([
    '/hotcast/modules/lib/a.ts',
    '/hotcast/modules/lib/b.cjs',
    '// modules/lib/none.ts\n/hotcast/modules/demo.ts',
    '/hotcast/modules',
  ]);
});

it('keeps the positions of errors of such a file', async () => {
  const modules = project({ 'modules/demo.ts': `${source}export { a } from './nowhere';\n` });
  await expect(compile(modules, 'demo')).rejects.toThrow(
    `\nmodules/demo.ts:9:19: Could not resolve "./nowhere"\n  9 | export { a } from './nowhere';\n`,
  );
});
