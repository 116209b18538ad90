import { describe, expect, it } from 'vitest';

import { compile } from '../../../controller/src/compile.ts';
import type { Rehearsal } from '../../../node-image/src/rehearse.ts';
import { projects } from '../projects.ts';
import { type Host, hosts } from './host.ts';

const host = hosts();
const project = projects();

const COUNTER = `
  const { data } = import.meta.hot;
  data.counts ??= [];
  export function add() { return data.counts.push('one'); }
`;

/** Prepares a module's source and rehearses it. */
async function rehearsed(on: Host, module: string, source: string): Promise<Rehearsal> {
  const { bundle } = await compile(project({ [`modules/${module}.ts`]: source }), module);
  on.server.prepare(bundle);
  return on.server.rehearse([bundle]);
}

describe('rehearse', () => {
  it('changes neither what runs nor its data', async () => {
    const fred = host();
    await fred.push({ counter: COUNTER });
    await fred.value('counter', 'add');
    const before = fred.server.describe();
    const next = `import.meta.hot.data.counts.length = 0; export const add = () => 'new';`;
    expect(await rehearsed(fred, 'counter', next)).toEqual({ status: 'rehearsed' });
    expect(fred.server.describe()).toEqual(before);
    expect(await fred.value('counter', 'add')).toBe(2);
  });

  it('tells what a codeChange of the live data would throw, and leaves the data as they are', async () => {
    const fred = host();
    await fred.push({ counter: COUNTER });
    await fred.value('counter', 'add');
    const change = (limit: number) => `
      export function codeChange(old) {
        if (old.counts.length > ${limit}) throw new RangeError('too many');
        old.counts.length = 0;
        return old;
      }
      export const add = () => 'new';
    `;
    expect(await rehearsed(fred, 'counter', change(0))).toEqual({
      status: 'refused',
      reason: 'on_load_failure',
      detail: 'RangeError: too many',
    });
    expect(await rehearsed(fred, 'counter', change(1))).toEqual({ status: 'rehearsed' });
    expect(await fred.value('counter', 'add')).toBe(2);
  });

  it('ends what it evaluated at once: no timer fires, and all is disposed', async () => {
    const fred = host();
    const source = `
      const { signal, dispose } = import.meta.hot;
      const seen = globalThis.rehearsalSeen = [];
      setTimeout(() => seen.push('timer'), 0);
      setImmediate(() => seen.push('immediate'));
      signal.addEventListener('abort', () => seen.push('aborted'));
      dispose(() => seen.push('disposed'));
      export const x = 1;
    `;
    expect(await rehearsed(fred, 'timers', source)).toEqual({ status: 'rehearsed' });
    const { rehearsalSeen } = globalThis as unknown as { readonly rehearsalSeen: string[] };
    await new Promise(resolve => setTimeout(resolve, 5));
    expect(rehearsalSeen.toSorted()).toEqual(['aborted', 'disposed']);
    Reflect.deleteProperty(globalThis, 'rehearsalSeen');
  });

  it('says that it did not try what it could only try on the live data', async () => {
    const fred = host();
    await fred.push({ holder: `import.meta.hot.data.held = () => 1; export const x = 1;` });
    expect(await rehearsed(fred, 'holder', `import.meta.hot.data.held(); export const x = 2;`)).toEqual({
      status: 'untried',
      detail: "the live data of holder can't be copied",
    });
  });

  it('needs what was prepared', () => {
    const target = { module: 'demo', revision: 'f'.repeat(64) };
    expect(host().server.rehearse([target])).toMatchObject({ status: 'refused', reason: 'nofile' });
  });
});
