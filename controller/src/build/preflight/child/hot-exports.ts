import { liveObject, missingExports } from '../../../../../shared/hot-exports.ts';

/**
 * The exports of a module of the set, as a node gives them to the modules that import it as `hot:<module>`: to read a name
 * that the module does not export throws.
 *
 * @param onUse called when a name is read. What the module returns can depend on data that only a node has.
 */
export function hotExports(module: string, exports: object, onUse: () => void): object {
  const read = (name: string): unknown => {
    onUse();
    if (Object.hasOwn(exports, name)) return Reflect.get(exports, name);
    throw new Error(`no export ${name} of module ${module} is loaded`);
  };
  return liveObject(Object.keys(exports), read, missingExports(read));
}
