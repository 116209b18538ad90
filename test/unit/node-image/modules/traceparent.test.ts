import { expect, it } from 'vitest';

import { call } from '../../../../node-image/src/modules/invoke.ts';
import { decodeValue } from '../../../../protocol/values/decode.ts';
import { hosts } from './host.ts';

const host = hosts();

const SHOP = `
  import { total } from 'hot:billing';
  const atStart = import.meta.hot.traceparent;
  export async function order() {
    await new Promise(resolve => setTimeout(resolve, 1));
    return [atStart ?? 'none', import.meta.hot.traceparent ?? 'none', total()];
  }
`;
const BILLING = `export const total = () => import.meta.hot.traceparent ?? 'none';`;

it('a call has the span of its caller, over awaits and in modules that it calls, and no other call has it', async () => {
  const node = host();
  await node.push({ shop: SHOP, billing: BILLING });
  const ordered = async (traceparent?: string): Promise<unknown> => {
    const carried = traceparent === undefined ? {} : { traceparent };
    const answer = await call(node.server, 'fred', { module: 'shop', function: 'order', args: [], ...carried });
    return answer.status === 'value' ? decodeValue(answer.json) : answer;
  };
  const spans = ['a', 'b'].map(digit => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`);
  const [first, second, without] = await Promise.all([ordered(spans[0]), ordered(spans[1]), ordered()]);
  expect([first, second, without]).toEqual([
    ['none', spans[0], spans[0]],
    ['none', spans[1], spans[1]],
    ['none', 'none', 'none'],
  ]);
});
