import { changedData, changesData } from './module-data.ts';
import { type Refused, refused } from './outcome.ts';
import { evaluateVersion, type Prepared, type Surroundings, type Version } from './version.ts';

/** Whether revisions would load; `untried` where that can't be told without a change to what runs. */
export type Rehearsal = { status: 'rehearsed' } | { status: 'untried'; detail: string } | Refused;

/** A prepared revision, what it would replace, and what it would see. */
export interface Part {
  readonly prepared: Prepared;
  readonly live: { readonly data: Record<string, unknown>; readonly current: Version | null };
  readonly surroundings: Omit<Surroundings, 'data'>;
}

/**
 * Loads revisions aside, as a switch would load them together: evaluates each on a deep copy of the live data, makes its
 * `codeChange`, and then ends them all in the same turn, so that no timer of theirs fires.
 */
export function rehearse(parts: readonly Part[]): Rehearsal {
  const tried: Version[] = [];
  try {
    for (const { prepared, live, surroundings } of parts) {
      const from = changesData(prepared.bundle.exports) ? live.current : null;
      const copy = copyOf(live.data);
      if (copy === null && from === null) {
        return { status: 'untried', detail: `the live data of ${prepared.bundle.module} can't be copied` };
      }
      const version = evaluateVersion(prepared, { ...surroundings, data: from === null ? (copy ?? {}) : {} });
      tried.push(version);
      if (from !== null) changedData(version, structuredClone(live.data), from.revision);
    }
    return { status: 'rehearsed' };
  } catch (error) {
    return refused('on_load_failure', error);
  } finally {
    for (const { lifetime } of tried) void lifetime.end();
  }
}

function copyOf(data: Record<string, unknown>): Record<string, unknown> | null {
  try {
    return structuredClone(data);
  } catch {
    return null;
  }
}
