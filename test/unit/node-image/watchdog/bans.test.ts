import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { type Ban, Bans, readBans, withBan, writeBans } from '../../../../node-image/src/watchdog/bans.ts';
import { createReconciler } from '../../../../node-image/src/cluster/reconciler.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { scriptName } from '../../../../node-image/src/modules/version.ts';
import { bundleOf, headOf, recordingLog } from '../../fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'hotcast-bans-'));
afterAll(() => rmSync(folder, { recursive: true }));

const banOf = (script: string): Ban => ({ script, detail: 'stalled', cause: 'stalled', active: true, liftedBy: 0 });

describe('the bans file', () => {
  it('returns what was written', () => {
    const path = join(folder, 'new/bans.json');
    writeBans(path, [banOf('demo@0'), { ...banOf('demo@1'), liftedBy: 7 }]);
    expect(readBans(path)).toEqual([banOf('demo@0'), { ...banOf('demo@1'), liftedBy: 7 }]);
  });

  it.each([
    ['is not there', null],
    ['is cut off', '{"bans":[{"scr'],
    ['is something else', '[]'],
  ])('is empty when it %s', (_, text) => {
    const path = join(folder, 'bad.json');
    if (text !== null) writeFileSync(path, text);
    expect(readBans(path)).toEqual([]);
  });

  it('keeps the newest hundred', () => {
    let bans: readonly Ban[] = [];
    for (let index = 0; index < 150; index += 1) bans = withBan(bans, `demo@${index}`, 'stalled', 'stalled');
    expect(bans.map(({ script }) => script)).toEqual(Array.from({ length: 100 }, (_, index) => `demo@${index + 50}`));
  });
});

describe('a ban', () => {
  it('is lifted once by a head, and not again by the same head when the revision stalls again', () => {
    let saved: readonly Ban[] = [];
    const save = (bans: readonly Ban[]): void => void (saved = bans);
    const bans = new Bans([banOf('demo@0')], save);
    bans.lift('demo@0', 5);
    expect(bans.of('demo@0')).toBeNull();

    const after = new Bans(withBan(saved, 'demo@0', 'stalled again', 'stalled'), save);
    after.lift('demo@0', 5);
    expect(after.of('demo@0')).toMatchObject({ detail: 'stalled again' });
    after.lift('demo@0', 6);
    expect(after.active).toEqual([]);
  });
});

it('a ban is not lifted by the forced head with which its revision was loaded', () => {
  let saved: readonly Ban[] = [];
  const save = (bans: readonly Ban[]): void => void (saved = bans);
  new Bans([], save).lift('demo@0', 5);
  const afterRestart = new Bans(withBan(saved, 'demo@0', 'stalled', 'stalled'), save);
  afterRestart.lift('demo@0', 5);
  expect(afterRestart.of('demo@0')).toMatchObject({ detail: 'stalled' });
});

describe('a node with a ban', () => {
  const bad = bundleOf('demo', 'exports.answer = () => "bad";');
  const good = bundleOf('demo', 'exports.answer = () => "good";');

  function node() {
    const server = new CodeServer(recordingLog(), { bans: new Bans([banOf(scriptName(bad))]) });
    server.prepare(good);
    server.prepare(bad);
    return server;
  }

  it('refuses the revision, reports its head as refused, and applies the next one', () => {
    const server = node();
    expect(server.commit([headOf('demo', good.revision, 1)]).status).toBe('ok');
    expect(server.commit([headOf('demo', bad.revision, 2)])).toEqual({
      status: 'refused',
      reason: 'banned',
      cause: 'stalled',
      detail: 'it stalled (push --force lifts the ban)',
    });
    expect(server.current('demo')?.revision).toBe(good.revision);
    expect(server.refusals()).toMatchObject({ demo: { sequence: 2, reason: 'banned' } });

    expect(server.commit([headOf('demo', good.revision, 3)]).status).toBe('ok');
    expect(server.refusals()).toEqual({});
  });

  it('refuses it when it is loaded on this node alone', () => {
    expect(node().loadHere(bad)).toMatchObject({ status: 'refused', reason: 'banned' });
  });

  it('refuses a whole set with it', () => {
    const server = node();
    const other = bundleOf('other', '');
    server.prepare(other);
    const heads = [headOf('other', other.revision, 4), headOf('demo', bad.revision, 4)];
    expect(server.commit(heads)).toMatchObject({ reason: 'banned' });
    expect(server.current('other')).toBeNull();
  });

  it('accepts it in a forced push, but not in a forced rollback that no operator asked for', () => {
    const server = node();
    const forced = { ...headOf('demo', bad.revision, 5), force: true };
    expect(server.commit([{ ...forced, automatic: true }])).toMatchObject({ reason: 'banned' });
    expect(server.commit([{ ...forced, sequence: 6 }]).status).toBe('ok');
    expect(server.current('demo')?.revision).toBe(bad.revision);
  });

  describe('that a rollback goes back to', () => {
    const back = { ...headOf('demo', bad.revision, 5), makeRoom: true, revertOf: 'push 4' };
    const reconciler = (server: CodeServer) => {
      const records = { heads: async () => [], bundle: async () => null };
      return createReconciler('fred', server, records, recordingLog());
    };

    it.each(['canary', 'watchdog', 'refused'] as const)('refuses it if no operator asked: %s', async cause => {
      const server = node();
      expect(await reconciler(server).apply([{ ...back, cause }])).toMatchObject({ reason: 'banned' });
      expect(server.current('demo')).toBeNull();
    });

    it('accepts it if an operator asked', async () => {
      const server = node();
      expect(await reconciler(server).apply([{ ...back, cause: 'operator' }])).toEqual({ status: 'ok' });
      expect(server.current('demo')?.revision).toBe(bad.revision);
    });
  });
});
