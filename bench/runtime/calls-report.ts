import { digits, section, table } from '../table.ts';
import type { HotCalls } from './calls.ts';

/** The most that a hot call is to cost, in plain calls. */
const MAX_RATIO = 1.2;

/** What is allocated for a call, below which it is nothing (bytes): the measurement itself allocates. */
const MIN_BYTES = 1;

export function hotCallsText({ swapped, inlined, first }: HotCalls): string {
  const shown = [...inlined.slice(0, 1), ...swapped, ...inlined.slice(1)];
  return section(
    'A call of a hot: import (medians, nanoseconds)',
    table('the function | plain | hot: | Proxy | hot:/plain | Proxy/plain | bytes a call', [
      ...shown.map(({ name, plain, hot, proxy, ratio, bytes }) => {
        return [name, plain, hot, proxy, `${digits(ratio)}×`, `${digits(proxy / plain)}×`, Math.max(0, bytes)];
      }),
      [first.name, first.plain, first.hot, first.proxy, `${digits(first.hot / first.plain)}×`, '', ''],
    ]),
    'V8 inlines a small function as long as it never changed; then there is no call to compare with. After a swap, V8 ' +
      'calls it, like any variable that has held another function.',
  );
}

/** What a hot call is to cost. */
export function hotCallGoals({ swapped, inlined }: HotCalls): [reached: boolean, text: string][] {
  const most = Math.max(...[...swapped, ...inlined].map(({ bytes }) => bytes));
  return [
    ...swapped.map(({ name, ratio }): [boolean, string] => {
      const text = `a hot: call of a function that ${name} costs ≤ ${MAX_RATIO} plain calls: ${digits(ratio)}`;
      return [ratio <= MAX_RATIO, text];
    }),
    [most < MIN_BYTES, `a hot: call allocates nothing: ${digits(Math.max(0, most))} bytes more than a plain one`],
  ];
}
