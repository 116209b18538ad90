import { runInContext } from '../sandbox/execution-context.ts';
import { scriptName, type Version } from './version.ts';

/** The export that turns data of one shape into another: `codeChange(data, from)`. */
const CODE_CHANGE = 'codeChange';

/** Whether a module that exports these names changes the shape of its data. */
export function migratesState(exports: readonly string[]): boolean {
  return exports.includes(CODE_CHANGE);
}

/** What a version makes of the data of the one before it. */
export function migrateState(version: Version, copy: Record<string, unknown>, from: string): object {
  const codeChange = version.exports[CODE_CHANGE];
  if (typeof codeChange !== 'function') throw new TypeError(`${CODE_CHANGE} is no function`);
  const change = (): unknown => Reflect.apply(codeChange, version.exports, [copy, from]);
  const changed = runInContext(scriptName(version), null, change);
  if (typeof changed === 'object' && changed !== null && Object.getPrototypeOf(changed) === Object.prototype) {
    return changed;
  }
  throw new TypeError(`${CODE_CHANGE} must return the new data, a plain object`);
}

/** Puts back the keys that a module changed before it threw. */
export function restore(data: Record<string, unknown>, before: Record<string, unknown>): void {
  for (const key of Object.keys(data)) delete data[key];
  Object.assign(data, before);
}
