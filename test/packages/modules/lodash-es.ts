import { chunk, debounce, merge } from 'lodash-es';

export async function check() {
  let calls = 0;
  await new Promise<void>(resolve => {
    const call = debounce(() => {
      calls++;
      resolve();
    }, 5);
    call();
    call();
  });
  return { calls, chunks: chunk([1, 2, 3], 2), merged: merge({ a: { b: 1 } }, { a: { c: 2 } }) };
}
