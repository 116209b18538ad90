import { describe, expect, it } from 'vitest';

import {
  canaryGroups,
  groupNamed,
  groupOfNode,
  groupsIn,
  groupWarnings,
  type Placed,
  placeModules,
  unknownModules,
} from '../../../../controller/src/commands/placement.ts';
import { VersionError } from '../../../../controller/src/rollout/versions.ts';
import type { Groups } from '../../../../protocol/placement/groups.ts';
import { descriptionOf, headOf } from '../../fixtures.ts';

const WEB: Groups = { names: ['web'], first: true };
const WORKER: Groups = { names: ['worker'], first: false };
const BOTH: Groups = { names: ['web', 'worker'], first: true };

const NAMES = new Set(['fred', 'betty', 'worker-1']);
const revision = 'a'.repeat(64);

const placed = (module: string, groups: Groups | null, more: Partial<Placed> = {}): Placed => ({
  module,
  groups,
  imports: [],
  last: null,
  ...more,
});

const runningOn = (module: string, groups: Groups | null, imports: readonly string[] = []) => ({
  ...headOf(module, revision, 1),
  ...(groups === null ? {} : { groups }),
  manifest: { exports: [], imports: Object.fromEntries(imports.map(name => [name, []])), sources: {} },
});

describe('the nodes of a push', () => {
  it('are those of the groups of its modules', () => {
    const { in: nodes, leaving } = placeModules([placed('demo', WEB)], NAMES, [], []);
    expect([[...nodes], [...leaving]]).toEqual([['fred', 'betty'], []]);
  });

  it('are all, for a module that no group has', () => {
    expect([...placeModules([placed('demo', null)], NAMES, [], []).in]).toEqual([...NAMES]);
  });

  it('are also those that it leaves', () => {
    const last = runningOn('demo', null);
    expect([...placeModules([placed('demo', WORKER, { last })], NAMES, [last], []).leaving]).toEqual(['fred', 'betty']);
  });

  it('are missing', () => {
    const push = () => placeModules([placed('demo', { names: ['api'], first: false })], NAMES, [], []);
    expect(push).toThrow('demo goes to api, of which no node is running; nothing was sent');
  });

  it('are all of a release that knows groups, but for those that load it anyway', () => {
    const { group, ...earlier } = descriptionOf('fred');
    expect(group).not.toBe('web');
    expect(() => placeModules([placed('demo', WORKER)], NAMES, [], [earlier])).toThrow(VersionError);
    expect(() => placeModules([placed('demo', WEB)], NAMES, [], [earlier])).not.toThrow();
    expect(() => placeModules([placed('demo', null)], NAMES, [], [earlier])).not.toThrow();
    const without = new Set(['betty', 'worker-1']);
    expect(() => placeModules([placed('demo', WORKER)], without, [], [earlier])).not.toThrow();
  });
});

describe('a module that imports another one', () => {
  const push = (module: Placed, heads: Parameters<typeof placeModules>[2]) => () =>
    placeModules([module], NAMES, heads, []);

  it('is refused where that is not', () => {
    const shop = placed('shop', BOTH, { imports: ['demo'] });
    expect(push(shop, [runningOn('demo', WEB)])).toThrow(
      'shop is on web and worker, and imports hot:demo, which is on web only: put demo into the same groups; nothing was sent',
    );
    expect(push({ ...shop, groups: WEB }, [runningOn('demo', WEB)])).not.toThrow();
    expect(push(shop, [runningOn('demo', null)])).not.toThrow();
    expect(push(shop, [])).not.toThrow();
  });

  it('holds that one in its groups', () => {
    expect(push(placed('demo', WORKER), [runningOn('shop', WEB, ['demo'])])).toThrow(
      'shop is on web, and imports hot:demo, which is on worker only',
    );
    expect(push(placed('other', WORKER), [runningOn('shop', null, ['demo']), runningOn('demo', WEB)])).not.toThrow();
  });
});

describe('the modules of a canary', () => {
  it('have the same groups, and stay there', () => {
    expect(canaryGroups([placed('demo', WEB), placed('shop', WEB, { last: runningOn('shop', WEB) })])).toEqual(WEB);
    expect(() => canaryGroups([placed('demo', WEB), placed('ticker', WORKER)])).toThrow(
      'the modules of a canary have to be in the same groups: demo is on web, ticker on worker',
    );
    expect(() => canaryGroups([placed('demo', WORKER, { last: runningOn('demo', null) })])).toThrow(
      'demo moves from every group to worker: push it without a canary',
    );
  });
});

describe('the name of a group', () => {
  it('is one of the configuration, or a service', () => {
    expect(groupNamed('web', ['web', 'worker'], NAMES)).toEqual(WEB);
    expect(groupNamed('worker', ['web', 'worker'], NAMES)).toEqual(WORKER);
    expect(groupNamed('worker', [], NAMES)).toEqual(WORKER);
    expect(() => groupNamed('api', ['web', 'worker'], NAMES)).toThrow(
      'there is no group "api"; groups here: web, worker',
    );
  });

  it('is completed', () => {
    expect(groupsIn(NAMES, [])).toEqual(['node', 'worker']);
    expect(groupsIn(NAMES, ['web', 'api'])).toEqual(['web', 'api', 'worker']);
  });

  it('of a configuration has a warning where it is another one than the service of the node', () => {
    const said = (node: string, group: string, configured: readonly string[]) =>
      groupWarnings([{ ...descriptionOf(node), group }], configured);
    expect(said('fred', 'web', ['web', 'worker'])).toEqual([]);
    expect(said('worker-1', '', ['web', 'worker'])).toEqual([]);
    expect(said('fred', 'worker', ['web', 'worker'])).toEqual([
      'fred has HOTCAST_GROUP=worker, and is in the group web: a group is the nodes of the service of its name',
    ]);
    expect(groupWarnings([descriptionOf('fred')], ['web'])).toEqual([]);
  });

  it('has modules with sources', () => {
    const groups = new Map([
      ['web', ['shop', 'shpo']],
      ['worker', []],
    ]);
    expect(unknownModules(groups, ['shop', 'other'])).toEqual([
      'hotcast.config.ts has in the group web what has no source: shpo',
    ]);
  });

  it('follows from the name of a node', () => {
    const of = (configured: readonly string[]) =>
      ['fred', 'node-31', 'web-1', 'worker-1-3f2a9c'].map(node => groupOfNode(node, configured));
    expect(of(['web', 'worker'])).toEqual(['web', 'web', 'web', 'worker']);
    expect(of([])).toEqual(['node', 'node', 'web', 'worker']);
    expect(of(['node', 'worker'])).toEqual(['node', 'node', 'web', 'worker']);
  });
});
