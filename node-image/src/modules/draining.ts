import type { NodeDescription } from '../../../protocol/messages.ts';
import { ageText } from '../../../shared/age.ts';
import type { Calls } from './in-flight-calls.ts';
import { type Refused, refused } from './load-result.ts';
import type { ModuleTable } from './module-table.ts';
import { closeOldest, type Slots } from './version-slots.ts';
import { scriptName, type Version } from './version.ts';

/** How many versions can drain. */
export interface DrainingLimits {
  /** The maximum number of draining versions of a module. */
  readonly maxVersions: number;
  /** What exceeds the memory that a node may use while a version drains, as a sentence; null when nothing does. */
  readonly memoryExcess: () => string | null;
}

export type Draining = ReturnType<typeof drainingVersions>;

/** Describes the versions that drain, and decides whether one more can. */
export function drainingVersions(modules: ModuleTable, calls: Calls, { maxVersions, memoryExcess }: DrainingLimits) {
  /** What holds versions, the oldest first: `the oldest, demo@3f2a9c81b0d4, since 2026-…Z (3 h 5 min), is held by …`. */
  const heldBy = (versions: readonly Version[]): string => {
    const [oldest] = versions.toSorted((a, b) => (a.drainingSince ?? 0) - (b.drainingSince ?? 0));
    if (oldest === undefined) return '';
    const more = oldest.calls - 1;
    const others = more > 0 ? ` and ${more} more ${more === 1 ? 'call' : 'calls'}` : '';
    const { since: at, ageMs } = ageOf(oldest);
    const since = `${new Date(at).toISOString()} (${ageText(ageMs)})`;
    return `the oldest, ${scriptName(oldest)}, drains since ${since}, held by ${calls.oldestOn(oldest)}${others}`;
  };

  /** The refusal of a load that would exceed the number of draining versions of a module; null when there is room. */
  const checkNumber = (module: string): Refused | null => {
    const draining = modules.get(module)?.slots.draining ?? [];
    if (draining.length < maxVersions) return null;
    const count = draining.length === 1 ? '1 earlier version drains' : `${draining.length} earlier versions drain`;
    return refused('not_purged', `${count}, the limit is ${maxVersions}; ${heldBy(draining)} (--force purges all)`);
  };

  /** Closes the oldest versions as far as the limit needs, so that the current one can drain too. */
  const withRoom = (slots: Slots<Version>): Slots<Version> => closeOldest(slots, maxVersions - 1);

  /** The refusal of a load while versions drain and the node's memory is scarce; null when there is room. */
  const checkMemory = (): Refused | null => {
    const draining = modules.states.flatMap(({ slots }) => slots.draining);
    const excess = draining.length === 0 ? null : memoryExcess();
    if (excess === null) return null;
    return refused(
      'not_purged',
      `versions drain, and ${excess}; ${heldBy(draining)} (--force purges those of a module)`,
    );
  };

  /** All draining versions of this node; those of a module are in their order, the oldest first. */
  const describe = (): NodeDescription['draining'] =>
    modules.states.flatMap(({ slots }) =>
      slots.draining.map(version => ({
        module: version.module,
        revision: version.revision,
        ...ageOf(version),
        inFlight: version.calls,
        heldBy: calls.oldestOn(version) ?? '',
      })),
    );

  return { checkNumber, checkMemory, withRoom, describe };
}

/** How long a version has drained, milliseconds, and since when by the clock of this node. */
function ageOf({ drainingSince }: Version): { readonly since: number; readonly ageMs: number } {
  const now = performance.now();
  const ageMs = Math.round(now - (drainingSince ?? now));
  return { since: Date.now() - ageMs, ageMs };
}
