import { Script } from 'node:vm';

import { codeCache } from '../../controller/src/preflight/code-cache.ts';
import type { Bundle } from '../../protocol/bundle.ts';
import { OWN_GLOBALS, SCRIPT_OPTIONS, scriptOf } from '../../protocol/script.ts';

/** A bundle with the code cache that the controller's preflight makes: of a script that has run. */
export function withCache(bundle: Bundle): Bundle {
  const script = new Script(scriptOf(bundle.code), SCRIPT_OPTIONS);
  const run = script.runInThisContext() as (...args: unknown[]) => void;
  const module = { exports: {} };
  const globals = OWN_GLOBALS.map(name => globalThis[name] as unknown);
  run(module, module.exports, () => ({}), { data: {} }, ...globals);
  return { ...bundle, cache: codeCache(script) };
}
