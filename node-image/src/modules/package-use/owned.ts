import type { NodeDescription } from '../../../../protocol/messages.ts';
import type { ScopedResources } from '../../sandbox/scoped-resources.ts';
import { scriptName, type Version } from '../version.ts';

/** What a version has opened, and is open: its own timers and those that packages have started for it, and its connections. */
export interface Owned {
  readonly version: Version;
  readonly timers: number;
  readonly sockets: number;
}

export function ownedBy(versions: readonly Version[], resources: Pick<ScopedResources, 'open'> | null): Owned[] {
  const open = resources?.open();
  return versions.map(version => {
    const { timers = 0, sockets = 0 } = open?.get(scriptName(version)) ?? {};
    return { version, timers: version.timers.size + timers, sockets };
  });
}

/** The same for the cluster, without the versions that have nothing open. */
export function describeOwned(owned: readonly Owned[]): NonNullable<NodeDescription['owned']> {
  const open = owned.filter(({ timers, sockets }) => timers > 0 || sockets > 0);
  return Object.fromEntries(open.map(({ version, timers, sockets }) => [scriptName(version), { timers, sockets }]));
}
