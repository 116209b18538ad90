import { Script } from 'node:vm';

import { codeCache } from '../../controller/src/build/preflight/code-cache.ts';
import type { Bundle } from '../../protocol/bundle.ts';
import { SCOPED_GLOBALS, SCRIPT_OPTIONS, moduleScript } from '../../shared/module-script.ts';

/** A bundle with the code cache that the controller's preflight makes: of a script that has run. */
export function withCache(bundle: Bundle): Bundle {
  const script = new Script(moduleScript(bundle.code), SCRIPT_OPTIONS);
  const run = script.runInThisContext() as (...args: unknown[]) => void;
  const module = { exports: {} };
  const globals = SCOPED_GLOBALS.map(name => globalThis[name] as unknown);
  run(module, module.exports, () => ({}), { data: {} }, ...globals);
  return { ...bundle, cache: codeCache(script) };
}
