import { expect, it } from 'vitest';

import { findUnchanged } from '../../../../controller/src/commands/unchanged.ts';
import { NOBODY } from '../../../../controller/src/fleet/departures.ts';
import { headOf } from '../../fixtures.ts';

it('a module is not unchanged when its head names other sources, although the revision is the same', async () => {
  const revision = '1'.repeat(64);
  const manifest = { exports: [], imports: {}, sources: { 'modules/demo.ts': 'before' } };
  const last = { head: { ...headOf('demo', revision, 1), manifest }, position: 1 };
  const wanted = [{ module: 'demo', revision, sources: { 'modules/demo.ts': 'after' }, groups: null, last }];
  // It asks no node.
  const asked = { expected: new Set(['fred']), departed: NOBODY };
  const unchanged = await findUnchanged({} as never, wanted, asked, {
    awaited: new Set(['fred']),
    timeoutMs: 1_000,
    signal: new AbortController().signal,
  });
  expect(unchanged).toEqual({ modules: new Set(), silent: [] });
});

it('a module is not unchanged when it moves to other groups, although the revision is the same', async () => {
  const revision = '1'.repeat(64);
  const last = { head: { ...headOf('demo', revision, 1), groups: { names: ['web'], first: true } }, position: 1 };
  const groups = { names: ['worker'], first: false };
  const unchanged = await findUnchanged(
    {} as never,
    [{ module: 'demo', revision, sources: {}, groups, last }],
    { expected: new Set(['fred']), departed: NOBODY },
    { awaited: new Set(['fred']), timeoutMs: 1_000, signal: new AbortController().signal },
  );
  expect(unchanged).toEqual({ modules: new Set(), silent: [] });
});
