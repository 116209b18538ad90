import { beforeEach, describe, expect, it } from 'vitest';

import { latch } from '../../fixtures.ts';
import { hosts } from './host.ts';

const host = hosts();

/** What the versions of these tests did at their end; they run in this realm. */
const ended: string[] = [];
Object.assign(globalThis, { __ended: ended });

beforeEach(() => void (ended.length = 0));

const SAW = `const saw = (what: string) => void (globalThis as any).__ended.push(what);`;

/** A version that tells how it ends, and has a call that waits. */
const version = (name: string): string => `
  ${SAW}
  const { data, dispose, prune, signal } = import.meta.hot;
  data['name'] = '${name}';
  signal.addEventListener('abort', () => saw('${name} signal: ' + signal.reason.message));
  dispose(({ name }) => saw('${name} dispose, data of ' + String(name)));
  prune(() => saw('${name} prune'));
  export const wait = async (opened: Promise<void>) => { await opened; return '${name}'; };
`;

const hanging = (name: string): string => `
  import.meta.hot.dispose(() => new Promise(() => undefined));
  export const name = '${name}';
`;

/** A timeout that no test reaches (milliseconds). */
const LONG = 60_000;

describe('the stop of a code server', () => {
  it('ends the current and the draining versions: the signal says why, dispose gets the data, prune is not called', async () => {
    const node = host();
    await node.push({ demo: version('one') });
    const { opened } = latch();
    const call = node.call('demo', 'wait', opened);
    await node.push({ demo: version('two') });
    await node.server.stop(LONG);
    expect(ended.toSorted()).toEqual([
      'one dispose, data of two',
      'one signal: the node stops',
      'two dispose, data of two',
      'two signal: the node stops',
    ]);
    expect(await call).toMatchObject({
      status: 'error',
      type: 'purged',
      message: 'demo ended while the call ran, because the node stopped',
    });
    expect(node.server.callsInFlight).toBe(0);
    expect(await node.call('demo', 'wait')).toMatchObject({ status: 'error', failure: 'undef' });
  });

  it('does not prune a removed module whose last call it ends', async () => {
    const node = host();
    await node.push({ demo: version('one') });
    void node.call('demo', 'wait', latch().opened);
    node.commit('demo', null);
    await node.server.stop(LONG);
    expect(ended).toEqual(['one signal: the node stops', 'one dispose, data of one']);
  });

  it('lets dispose log, and call what it imports', async () => {
    const node = host();
    await node.push({
      store: `${SAW} export const save = (what: string) => saw('saved ' + what);`,
      demo: `import { save } from 'hot:store';
        import.meta.hot.dispose(async () => { await null; console.log('the last line'); save('rocks'); });
        export const nothing = 1;`,
    });
    await node.server.stop(LONG);
    expect(ended).toEqual(['saved rocks']);
    expect(node.log.logged.at(-1)).toMatchObject({ fields: { module: 'demo' }, message: 'the last line' });
  });

  it('waits for the callbacks of a version that ended before', async () => {
    const node = host();
    const { opened, open } = latch();
    Object.assign(globalThis, { __opened: opened });
    await node.push({
      demo: `${SAW}
        import.meta.hot.dispose(async () => { await (globalThis as any).__opened; saw('closed'); });
        export const nothing = 1;`,
    });
    await node.push({ demo: 'export const nothing = 2;' });
    const stopped = node.server.stop(LONG).then(() => ended.push('stopped'));
    open();
    await stopped;
    expect(ended).toEqual(['closed', 'stopped']);
  });

  it('does not wait longer than its timeout for all callbacks together, and logs those that are late', async () => {
    const node = host();
    await node.push({ first: hanging('first'), second: hanging('second'), demo: version('one') });
    const startedAt = performance.now();
    await node.server.stop(50);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    expect(ended).toEqual(['one signal: the node stops', 'one dispose, data of one']);
    const late = { level: 'error', fields: { err: { message: 'dispose took longer than 50 ms' } } };
    expect(node.log.logged.slice(-2)).toMatchObject([
      { ...late, fields: { ...late.fields, module: 'first' } },
      { ...late, fields: { ...late.fields, module: 'second' } },
    ]);
  });
});
