import { migrateState, migratesState } from './state-migration.ts';
import { type Refused, refused } from './load-result.ts';
import { evaluateVersion, type Prepared, type Environment, type Version } from './version.ts';

/** Whether revisions would load; `untried` where that can't be told without a change to what runs. */
export type DryRun = { status: 'would_load' } | { status: 'not_tried'; detail: string } | Refused;

/** A prepared revision, what it would replace, and what it would see. */
export interface Part {
  readonly prepared: Prepared;
  readonly live: { readonly data: Record<string, unknown>; readonly current: Version | null };
  readonly environment: Omit<Environment, 'data'>;
}

/**
 * Loads revisions aside, as a switch would load them together: evaluates each on a deep copy of the live data, makes its
 * `codeChange`, and then ends them all in the same turn, so that no timer of theirs fires.
 */
export function dryRun(parts: readonly Part[]): DryRun {
  const tried: Version[] = [];
  try {
    for (const { prepared, live, environment } of parts) {
      const from = migratesState(prepared.bundle.exports) ? live.current : null;
      const copy = copyOf(live.data);
      if (copy === null && from === null) {
        return { status: 'not_tried', detail: `the live data of ${prepared.bundle.module} can't be copied` };
      }
      const version = evaluateVersion(prepared, { ...environment, data: from === null ? (copy ?? {}) : {} });
      tried.push(version);
      if (from !== null) migrateState(version, structuredClone(live.data), from.revision);
    }
    return { status: 'would_load' };
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
