import { setTimeout as pace } from 'node:timers/promises';

import { describe, expect } from 'vitest';

import { it } from './cluster.ts';
import { DevSession } from './dev-session.ts';

/** The time between two saves of a script (milliseconds). */
const SAVE_INTERVAL_MS = 25;

const SAVES = 200;

describe('a modules folder that is watched', () => {
  it('brings the last of 200 saves to every node, of which some are broken', async ({ cluster }) => {
    await using dev = await DevSession.start(cluster);
    for (let save = 1; save <= SAVES; save += 1) {
      const isBroken = save % 7 === 0;
      cluster.writeModule('saved', `export function version() { return ${save}${isBroken ? ' +' : ''}; }\n`);
      await pace(SAVE_INTERVAL_MS);
    }
    const versions = async () => {
      const { result } = await cluster.call('saved.version()');
      return result.nodes.map(node => (node.status === 'value' ? node.json : node.status));
    };
    await expect.poll(versions, { timeout: 60_000 }).toEqual(cluster.nodeNames.map(() => String(SAVES)));

    const isLive = { saved: ['saved'], problem: null, broken: [], result: { outcome: 'committed' } };
    await expect.poll(() => dev.saves.at(-1)).toMatchObject(isLive);
    const heads = await cluster.history('saved');
    expect(heads.map(({ outcome }) => outcome?.verdict)).toEqual(heads.map(() => 'committed'));
    expect(await dev.end()).toBe(130);
  });

  it('leaves the nodes what they have while a module is broken, and does not hold the others', async ({ cluster }) => {
    await using dev = await DevSession.start(cluster, '--strict');
    const lastIs = (expected: object) =>
      expect.poll(() => dev.saves.at(-1), { timeout: 30_000 }).toMatchObject(expected);
    cluster.writeModule('strict', 'export const one = (): number => 1;\n');
    await lastIs({ saved: ['strict'], result: { outcome: 'committed' } });
    cluster.writeModule('strict', 'export const one = (): number => "no";\n');
    await lastIs({
      saved: ['strict'],
      result: null,
      problem: expect.stringContaining('modules/strict.ts:1:') as string,
    });
    cluster.writeModule('beside', 'export const beside = (): number => 1;\n');
    await lastIs({
      saved: ['beside'],
      result: { outcome: 'committed', modules: [{ module: 'beside' }] },
      broken: [expect.stringContaining('strict: modules/strict.ts:1:') as string],
    });
    expect((await cluster.call('strict.one()', '--node', 'fred')).result.nodes).toMatchObject([{ json: '1' }]);
    cluster.writeModule('strict', 'export const one = (): number => 2;\n');
    await lastIs({ saved: ['strict'], result: { outcome: 'committed' }, broken: [] });
  });

  it('has type errors on the nodes at once, and says so until they are repaired', async ({ cluster }) => {
    await using dev = await DevSession.start(cluster);
    const some = (expected: object) =>
      expect.poll(() => dev.saves, { timeout: 30_000 }).toContainEqual(expect.objectContaining(expected));
    cluster.writeModule('loose', 'export const one = (): number => "live";\n');
    await some({ saved: ['loose'], problem: expect.stringContaining('it is live all the same') as string });
    expect((await cluster.call('loose.one()', '--node', 'fred')).result.nodes).toMatchObject([{ json: '"live"' }]);
    cluster.writeModule('sound', 'export const one = 1;\n');
    await some({ saved: ['sound'], broken: [expect.stringMatching(/^loose: modules\/loose\.ts:1:/)] });
  });
});
