import { versionSource } from '../../support/cluster/module-sources.ts';

/** Code that blocks the event loop, or that uses too much memory. */
export const BLOCKING_CODE = {
  spin: 'for (;;) {}',
  promises: 'const again = () => Promise.resolve().then(again); return again();',
  awaiting: 'return (async () => { for (;;) await null; })();',
  regex: "return /^(a+)+$/.test('a'.repeat(64) + 'b');",
  native: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
  heap: 'for (const list: unknown[] = []; ; ) list.push(new Array(1e6).fill(0));',
  buffers: 'for (const list: unknown[] = []; ; ) list.push(Buffer.alloc(1e7, 1));',
};

/** A version with a function `run` that does this. */
export const blockingSource = (
  name: string,
  code: string,
): string => `${versionSource(name)}export function run(): unknown {
  ${code}
}
`;
