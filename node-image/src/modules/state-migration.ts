import { runInContext } from '../sandbox/execution-context.ts';
import { type Environment, evaluateVersion, type Prepared } from './loader.ts';
import type { Version } from './version.ts';

/** The export that changes the shape of the data: `codeChange(data, from)`. */
const CODE_CHANGE = 'codeChange';

/** What a revision is evaluated over: the module's data, and the version that it replaces. */
export interface Live {
  readonly data: Record<string, unknown>;
  readonly current: Version | null;
}

/** The version whose data a prepared revision changes with its `codeChange`; null when it takes the data as it is. */
export function migratesFrom({ bundle }: Prepared, { current }: Live): Version | null {
  return bundle.exports.includes(CODE_CHANGE) ? current : null;
}

/**
 * Evaluates a prepared revision. One with a `codeChange` gets new data, made from a copy of the live data.
 *
 * @throws the error of the module, or of the copy. Everything that the module opened is closed.
 */
export function evaluateOver(live: Live, prepared: Prepared, environment: Omit<Environment, 'data'>): Version {
  const from = migratesFrom(prepared, live);
  const version = evaluateVersion(prepared, { data: from === null ? live.data : {}, ...environment });
  try {
    if (from !== null) Object.assign(version.data, changedData(version, structuredClone(live.data), from.revision));
  } catch (error) {
    void version.lifetime.end();
    throw error;
  }
  return version;
}

/** Restores the keys that a module changed before it threw. */
export function restoreData(data: Record<string, unknown>, before: Record<string, unknown>): void {
  for (const key of Object.keys(data)) delete data[key];
  Object.assign(data, before);
}

/** Calls a version's `codeChange` on a copy of the data of the version before it; returns the new data. */
function changedData(version: Version, copy: Record<string, unknown>, from: string): object {
  const codeChange = version.exports[CODE_CHANGE];
  if (typeof codeChange !== 'function') throw new TypeError(`${CODE_CHANGE} is not a function`);
  const change = (): unknown => Reflect.apply(codeChange, version.exports, [copy, from]);
  const changed = runInContext(version.owner, null, change);
  if (typeof changed === 'object' && changed !== null && Object.getPrototypeOf(changed) === Object.prototype) {
    return changed;
  }
  throw new TypeError(`${CODE_CHANGE} must return the new data, a plain object`);
}
