import { Script } from 'node:vm';

import { SCOPED_GLOBALS, SCRIPT_OPTIONS, moduleScript } from '../../../../../shared/module-script.ts';
import { NoBuiltIn } from './built-ins.ts';
import { type CodeCache, codeCache } from '../code-cache.ts';
import { changesSince, type Snapshot } from './intrinsics.ts';
import type { Environment } from './environment.ts';
import type { Candidate, SentCache, Verdict } from '../protocol.ts';

type Factory = (module: { exports: object }, exports: object, ...others: unknown[]) => void;

/** Packages that load a native addon which they look for on the disk; esbuild names a bundle's files in comments. */
const ADDON_LOADERS = /^\/\/ .*node_modules\/(?:bindings|node-gyp-build|node-pre-gyp|@mapbox\/node-pre-gyp)\//m;

/** Evaluates a module's top level as a node does, but for what reaches outside, and judges it. */
export function evaluate(candidate: Candidate, environment: Environment, before: Snapshot): Verdict {
  environment.reset();
  const module: { exports: object } = { exports: {} };
  let thrown: { readonly error: unknown } | null = null;
  let script: Script | null = null;
  try {
    script = new Script(moduleScript(candidate.code), { ...SCRIPT_OPTIONS, filename: candidate.script });
    const factory = script.runInThisContext() as Factory;
    const globals = SCOPED_GLOBALS.map(name =>
      name === 'console' ? environment.still : (globalThis[name] as unknown),
    );
    factory(module, module.exports, environment.require, hot(environment), ...globals);
  } catch (error) {
    thrown = { error };
  }
  const { offence } = environment.seen;
  if (offence !== null) return refused(offence.reason, offence.message, offence);
  const { changed, globals } = changesSince(before);
  if (changed.length > 0) return refused('intrinsics', `it changes ${shortList(changed)}, which all modules share`);
  const cache = script === null ? null : sent(codeCache(script));
  if (thrown !== null) return verdictOn(thrown.error, candidate, environment, cache);
  const missing = candidate.exports.filter(name => !(name in module.exports));
  if (missing.length > 0) return refused('no_export', `it has no ${shortList(missing)} when it has loaded`);
  const warnings = globals.length === 0 ? [] : [`it sets the global ${shortList(globals)}, which no purge takes away`];
  return { status: 'passed', warnings, cache };
}

function sent({ runtime, data }: CodeCache): SentCache {
  return { runtime, base64: Buffer.from(data).toString('base64') };
}

/** What an error at load means: nothing, when the module had used a stand-in. */
function verdictOn(error: unknown, { code }: Candidate, { seen }: Environment, cache: SentCache | null): Verdict {
  if (error instanceof NoBuiltIn && !seen.native) return refused('no_builtin', error.message, error);
  if (seen.native || (seen.touched && ADDON_LOADERS.test(code))) {
    return refused('native_addon', `it loads a native addon: ${describe(error)}`, error);
  }
  const denied = error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED';
  if (!seen.touched && !denied) return refused('throws', describe(error), error);
  return {
    status: 'passed',
    warnings: [`whether it loads is not known before it runs on a node: here, without I/O, ${describe(error)}`],
    cache,
  };
}

/** `import.meta.hot` of a module that nobody has loaded before. */
function hot({ still }: Environment): object {
  const members = { data: {}, signal: new AbortController().signal };
  return new Proxy(members, { get: (known, name) => (Reflect.get(known, name) as unknown) ?? still });
}

function refused(reason: (Verdict & { status: 'refused' })['reason'], detail: string, error?: unknown): Verdict {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : null;
  return { status: 'refused', reason, detail, stack };
}

function describe(error: unknown): string {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return text.split('\n', 1)[0] ?? '';
  } catch {
    return 'something that throws when it is looked at';
  }
}

function shortList(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}
