import { describe, expect, it } from 'vitest';

import { headOf } from '../../fixtures.ts';
import { type Host, hosts } from './host.ts';

const host = hosts();

/** Counts its loads in `data.count`. */
const COUNTING = `
  const data = import.meta.hot.dataOf({ count: 0 });
  data.count += 1;
  export const seen = (): unknown => ({ ...data });
`;

/** Applies a head that removes the module or loads a revision, with the state cleared by the head `stateSince`. */
function apply({ server }: Host, revision: string | null, sequence: number, stateSince: number) {
  return server.commit([{ ...headOf('counter', revision, sequence), stateSince }]);
}

async function counting(source = COUNTING): Promise<{ readonly node: Host; readonly revision: string }> {
  const node = host();
  const [bundle] = await node.push({ counter: source });
  return { node, revision: bundle?.revision ?? '' };
}

describe('the state of a module', () => {
  it('survives a removal', async () => {
    const { node, revision } = await counting();
    apply(node, null, 10, 0);
    apply(node, revision, 11, 0);
    expect(await node.value('counter', 'seen')).toEqual({ count: 2 });
  });

  it('is gone after a removal that clears it, or that is removed already', async () => {
    const { node, revision } = await counting();
    apply(node, null, 10, 10);
    apply(node, revision, 11, 10);
    expect(await node.value('counter', 'seen')).toEqual({ count: 1 });
    apply(node, null, 12, 10);
    apply(node, null, 13, 13);
    apply(node, revision, 14, 13);
    expect(await node.value('counter', 'seen')).toEqual({ count: 1 });
  });

  it('is cleared once: what came after survives the next heads', async () => {
    const { node, revision } = await counting();
    apply(node, null, 10, 10);
    apply(node, revision, 11, 10);
    const [next] = await node.compile({ counter: `${COUNTING} export const other = 1;` });
    if (next !== undefined) node.server.prepare(next);
    expect(apply(node, next?.revision ?? '', 12, 10)).toEqual({ status: 'ok' });
    expect(await node.value('counter', 'seen')).toEqual({ count: 2 });
  });

  it('is cleared by a later head of the revision that runs, if the removal was missed', async () => {
    const { node, revision } = await counting();
    expect(apply(node, revision, 11, 10)).toEqual({ status: 'ok' });
    expect(await node.value('counter', 'seen')).toEqual({ count: 1 });
    expect(node.server.describe()).toMatchObject({ counter: { revision, sequence: 11 } });
  });

  it('is kept by a head that the stream has lost its memory for', async () => {
    const { node, revision } = await counting();
    apply(node, null, 10, 10);
    apply(node, revision, 11, 10);
    apply(node, null, 12, 0);
    apply(node, revision, 13, 0);
    expect(await node.value('counter', 'seen')).toEqual({ count: 2 });
  });

  it('stays, with the version that runs, while a head that clears it is refused', async () => {
    const { node, revision } = await counting(`
      const data = import.meta.hot.dataOf({ count: 0 });
      if (Reflect.get(globalThis, 'refuseEmpty') === true && data.count === 0) throw new Error('not now');
      data.count += 1;
      export const seen = (): unknown => ({ ...data });
    `);
    Reflect.set(globalThis, 'refuseEmpty', true);
    try {
      expect(apply(node, revision, 11, 10)).toMatchObject({ status: 'refused', reason: 'on_load_failure' });
      expect(await node.value('counter', 'seen')).toEqual({ count: 1 });
    } finally {
      Reflect.deleteProperty(globalThis, 'refuseEmpty');
    }
    expect(node.server.retry([{ ...headOf('counter', revision, 11), stateSince: 10 }])).toEqual({ status: 'ok' });
    expect(await node.value('counter', 'seen')).toEqual({ count: 1 });
    expect(node.server.describe()).toMatchObject({ counter: { sequence: 11 } });
  });

  it('does not come back with a revert', async () => {
    const { node, revision } = await counting(`${COUNTING} export const codeChange = () => ({ count: 70 });`);
    await node.push({ counter: `${COUNTING} export const codeChange = () => ({ count: 80 });` });
    const revert = { ...headOf('counter', revision, 12), stateSince: 11, revert: true };
    expect(node.server.commit([revert])).toEqual({ status: 'ok' });
    expect(await node.value('counter', 'seen')).toEqual({ count: 1 });
  });
});

it('dispose and prune get the state as it was before it is cleared', async () => {
  const seen: unknown[] = [];
  Reflect.set(globalThis, 'hotcastSeen', (...args: unknown[]) => seen.push(args));
  const callback = (name: string): string =>
    `import.meta.hot.${name}(data => Reflect.get(globalThis, 'hotcastSeen')('${name}', { ...data }));`;
  const { node } = await counting(`${COUNTING} ${callback('dispose')} ${callback('prune')}`);
  apply(node, null, 10, 10);
  await expect
    .poll(() => seen)
    .toEqual([
      ['dispose', { count: 1 }],
      ['prune', { count: 1 }],
    ]);
  Reflect.deleteProperty(globalThis, 'hotcastSeen');
});

it('a call that runs on keeps the state that it began with, and adds nothing to the new one', async () => {
  const { node, revision } = await counting(`
    ${COUNTING}
    export const slow = async (): Promise<unknown> => {
      await Promise.resolve();
      return { ...Object.assign(data, { late: true }) };
    };
  `);
  const running = node.value('counter', 'slow');
  apply(node, null, 10, 10);
  apply(node, revision, 11, 10);
  expect(await running).toEqual({ count: 1, late: true });
  expect(await node.value('counter', 'seen')).toEqual({ count: 1 });
});

it('codeChange is not called for a state that is cleared', async () => {
  const { node } = await counting();
  const [next] = await node.compile({ counter: `${COUNTING} export const codeChange = () => ({ count: 70 });` });
  if (next !== undefined) node.server.prepare(next);
  expect(apply(node, next?.revision ?? '', 11, 10)).toEqual({ status: 'ok' });
  expect(await node.value('counter', 'seen')).toEqual({ count: 1 });
});
