import { runInContext } from '../sandbox/execution-context.ts';
import { scriptName, type Version } from './version.ts';

/** The export that changes the shape of the data: `codeChange(data, from)`. */
const CODE_CHANGE = 'codeChange';

/** Whether a module with these exports changes the shape of its data. */
export function migratesState(exports: readonly string[]): boolean {
  return exports.includes(CODE_CHANGE);
}

/** Calls a version's `codeChange` on a copy of the data of the version before it; returns the new data. */
export function migrateState(version: Version, copy: Record<string, unknown>, from: string): object {
  const codeChange = version.exports[CODE_CHANGE];
  if (typeof codeChange !== 'function') throw new TypeError(`${CODE_CHANGE} is not a function`);
  const change = (): unknown => Reflect.apply(codeChange, version.exports, [copy, from]);
  const changed = runInContext(scriptName(version), null, change);
  if (typeof changed === 'object' && changed !== null && Object.getPrototypeOf(changed) === Object.prototype) {
    return changed;
  }
  throw new TypeError(`${CODE_CHANGE} must return the new data, a plain object`);
}

/** Restores the keys that a module changed before it threw. */
export function restoreData(data: Record<string, unknown>, before: Record<string, unknown>): void {
  for (const key of Object.keys(data)) delete data[key];
  Object.assign(data, before);
}
