import * as fc from 'fast-check';

import type { Order } from './controller-process.ts';
import { sourceOf } from './source.ts';

/** In an order of their own: a module needs modules before it, rarely others, and mentions any. */
export const MODULES = ['demo', 'counter', 'greeter'];
export const FIRST_NODES = ['fred', 'betty', 'wilma'];
const LATE_NODES = ['barney', 'pebbles'];
export const NODES = [...FIRST_NODES, ...LATE_NODES];

const modules = fc.oneof(
  fc.constantFrom(...MODULES).map(module => [module]),
  fc.shuffledSubarray(MODULES, { minLength: 2 }),
);

/** @param oneIn one push in so many can throw somewhere */
const pushes = (oneIn: number, versions: number, canaryOneIn: number) =>
  modules.chain(names =>
    fc.record({
      type: fc.constant('push' as const),
      sources: fc.tuple(
        ...names.map(module =>
          fc
            .record({
              module: fc.constant(module),
              version: fc.nat(versions - 1),
              throwsOn: rarely(fc.subarray(NODES, { minLength: 1, maxLength: 2 }), [], oneIn),
              isBroken: rarely(fc.constant(true), false, 2 * oneIn + 2),
              needs: fc.oneof(
                { weight: 8, arbitrary: fc.constant([]) },
                { weight: 4, arbitrary: fc.subarray(MODULES.slice(0, MODULES.indexOf(module))) },
                { weight: 1, arbitrary: fc.subarray(MODULES.filter(each => each !== module)) },
              ),
              mentions: rarely(fc.subarray(MODULES), [], 3),
            })
            .map(sourceOf),
        ),
      ),
      canary: rarely<string | null>(fc.constantFrom('1', '2', '30%', '60%', 'fred,betty', 'wilma'), null, canaryOneIn),
      force: rarely(fc.constant(true), false, oneIn),
    }),
  );

const others = fc.record({
  type: fc.constantFrom('promote' as const, 'rollback' as const, 'remove' as const, 'clear' as const),
  modules,
});

/** What anybody can want of a controller. */
export const orders: fc.Arbitrary<Order> = fc.oneof({ weight: 2, arbitrary: pushes(5, 4, 2) }, others);

/** Most of these load another version. */
export const loads: fc.Arbitrary<Order> = fc.oneof({ weight: 6, arbitrary: pushes(12, 8, 12) }, others);

/** One in so many is another. */
function rarely<T>(arbitrary: fc.Arbitrary<T>, else_: T, oneIn = 5): fc.Arbitrary<T> {
  return fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(else_) }, { weight: 1, arbitrary });
}

export function show(order: Order): string {
  if (order.type === 'end canary') return `end the canary of ${order.modules.join(' ')}`;
  if (order.type !== 'push') return `${order.type} ${order.modules.join(' ')}`;
  const sources = order.sources.map(({ bundle: { module, revision }, throwsOn, isBroken, needs }) => {
    const faults = [
      isBroken ? 'broken' : '',
      throwsOn.length > 0 ? `throws on ${throwsOn.join(', ')}` : '',
      needs.length > 0 ? `needs ${needs.join(', ')}` : '',
    ];
    return `${module}@${revision.slice(0, 4)}${faults.some(Boolean) ? ` (${faults.filter(Boolean).join(', ')})` : ''}`;
  });
  return `push ${sources.join(' ')}${order.canary === null ? '' : ` --canary ${order.canary}`}${order.force ? ' --force' : ''}`;
}
