import { SOURCE_MAP_KEY } from '../../../shared/module-script.ts';

/**
 * Lets a debugger read the source maps of modules, see {@link SOURCE_MAP_KEY}. V8 does not know them: in the text of a script
 * they would take memory on every node, and time in every swap.
 *
 * @param mapOf The packed source map of a script; null when it is not known.
 */
export function giveDebuggersMaps(mapOf: (script: string) => Uint8Array | null): Disposable {
  const key = Symbol.for(SOURCE_MAP_KEY);
  const value = (script: string): string | null => {
    const map = mapOf(script);
    return map === null ? null : Buffer.from(map).toString('base64');
  };
  Object.defineProperty(globalThis, key, { value, configurable: true });
  return { [Symbol.dispose]: () => void Reflect.deleteProperty(globalThis, key) };
}
