import { runInContext } from '../../sandbox/execution-context.ts';
import { copyData } from './copy-data.ts';
import { type Environment, evaluateVersion, type Prepared } from '../loader.ts';
import type { Version } from '../version.ts';

/** The export that changes a copy of the data: `codeChange(data, from)`. */
const CODE_CHANGE = 'codeChange';

/** The export that changes the data itself, for data that is too big to be copied. */
const CODE_CHANGE_IN_PLACE = 'codeChangeInPlace';

/** What a revision is evaluated over: the module's data, and the version that it replaces. */
export interface Live {
  readonly data: Record<string, unknown>;
  readonly current: Version | null;
}

/** The version whose data a prepared revision changes; null when it takes the data as it is. */
export function migratesFrom({ bundle }: Prepared, { current }: Live): Version | null {
  const { exports } = bundle;
  return exports.includes(CODE_CHANGE) || exports.includes(CODE_CHANGE_IN_PLACE) ? current : null;
}

/** Whether a revision can change the data although it is refused, or another node refuses it. */
export function changesInPlace({ bundle }: Pick<Prepared, 'bundle'>): boolean {
  return !bundle.exports.includes(CODE_CHANGE) && bundle.exports.includes(CODE_CHANGE_IN_PLACE);
}

/**
 * Evaluates a prepared revision. One with a `codeChange` gets new data, made from a copy of the live data; one with a
 * `codeChangeInPlace` gets new data that is made from the live data.
 *
 * @throws the error of the module. Everything that the module opened is closed.
 */
export function evaluateOver(live: Live, prepared: Prepared, environment: Omit<Environment, 'data'>): Version {
  const from = migratesFrom(prepared, live);
  const version = evaluateVersion(prepared, { data: from === null ? live.data : {}, ...environment });
  if (from === null) return version;
  try {
    const [name, old] = changesInPlace(prepared)
      ? [CODE_CHANGE_IN_PLACE, live.data]
      : [CODE_CHANGE, copyData(live.data)];
    Object.assign(version.data, changedData(version, name, old, from.revision));
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

/** Calls a version's function with the data of the version before it; returns the new data. */
function changedData(version: Version, name: string, old: Record<string, unknown>, from: string): object {
  const change = version.exports[name];
  if (typeof change !== 'function') throw new TypeError(`${name} is not a function`);
  const call = (): unknown => Reflect.apply(change, version.exports, [old, from]);
  const changed = runInContext(version.owner, null, call);
  if (typeof changed === 'object' && changed !== null && Object.getPrototypeOf(changed) === Object.prototype) {
    return changed;
  }
  throw new TypeError(`${name} must return the new data, a plain object`);
}
