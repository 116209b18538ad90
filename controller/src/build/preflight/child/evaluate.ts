import { Script } from 'node:vm';

import { SCOPED_GLOBALS, SCRIPT_OPTIONS, moduleScript } from '../../../../../shared/module-script.ts';
import { NoBuiltIn } from './built-ins.ts';
import { describeChange, describeError, shortList } from './describe.ts';
import { changesSince, type Snapshot } from './intrinsics.ts';
import type { Environment } from './environment.ts';
import type { LiveMemory } from './live-memory.ts';
import type { UsedPackages } from './loaded-packages.ts';
import type { ModulePassed, ModuleResult, ModuleUnderTest, PreflightReason, Refusal } from '../protocol.ts';

type Factory = (module: { exports: object }, exports: object, ...others: unknown[]) => void;

/** Packages that look for a native addon on the disk and load it. esbuild names the files of a bundle in comments. */
const ADDON_LOADERS = /^\/\/ .*node_modules\/(?:bindings|node-gyp-build|node-pre-gyp|@mapbox\/node-pre-gyp)\//m;

/** Evaluates a module's top level as a node does, without I/O. */
export function evaluate(
  tested: ModuleUnderTest,
  environment: Environment,
  packages: UsedPackages,
  before: Snapshot,
  memory: LiveMemory,
): ModuleResult {
  environment.reset();
  const bytesBefore = memory.bytes();
  const module: { exports: object } = { exports: {} };
  let thrown: { readonly error: unknown } | null = null;
  let script: Script | null = null;
  try {
    script = new Script(moduleScript(tested.code), { ...SCRIPT_OPTIONS, filename: tested.script });
    const factory = script.runInThisContext() as Factory;
    const globals = SCOPED_GLOBALS.map(name =>
      name === 'console' ? environment.inert : (globalThis[name] as unknown),
    );
    const require = environment.requireWith(packages.require);
    factory(module, module.exports, require, hot(environment), ...globals);
  } catch (error) {
    thrown = { error };
  }
  const { violation } = environment.used;
  if (violation !== null) return refused(violation.reason, violation.message, violation);
  const { changed, added, globals } = changesSince(before);
  if (changed.length > 0) return refused('intrinsics', `it ${describeChange(changed)}`);
  // Made only now: after the script has run, it has the functions that loading needs.
  const cache = script?.createCachedData().toString('base64') ?? null;
  // Measured only now: a collection could drop functions from the cache. The cache itself does not count.
  const memoryBytes = Math.max(0, memory.bytes() - bytesBefore - (cache?.length ?? 0));
  if (thrown !== null) return resultOfError(thrown.error, tested, environment, { cache, memoryBytes });
  const missing = tested.exports.filter(name => !(name in module.exports));
  if (missing.length > 0) return refused('no_export', `it has no ${shortList(missing)} when it has loaded`);
  environment.provide(tested.module, module.exports);
  const warnings = [
    ...packages.warnings,
    ...(globals.length === 0 ? [] : [`it sets the global ${shortList(globals)}, which no purge removes`]),
    ...(added.length === 0 ? [] : [`it adds ${shortList(added)}, which all modules share and no purge removes`]),
  ];
  return { status: 'passed', warnings, cache, memoryBytes };
}

/** The result of a module that threw while it was loaded. After it used a stub, an error says nothing about nodes. */
function resultOfError(
  error: unknown,
  { code }: ModuleUnderTest,
  { used }: Environment,
  measured: Pick<ModulePassed, 'cache' | 'memoryBytes'>,
): ModuleResult {
  if (error instanceof NoBuiltIn && !used.native) return refused('no_builtin', error.message, error);
  if (used.native || (used.stub && ADDON_LOADERS.test(code))) {
    return refused('native_addon', `it loads a native addon: ${describeError(error)}`, error);
  }
  const denied = error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED';
  if (!used.stub && !denied) return refused('throws', describeError(error), error);
  return {
    status: 'passed',
    warnings: [`only a node can tell whether it loads: without I/O it throws ${describeError(error)}`],
    ...measured,
  };
}

/** `import.meta.hot` of a module that was not loaded before. */
function hot({ inert }: Environment): object {
  const members = { data: {}, signal: new AbortController().signal };
  return new Proxy(members, { get: (known, name) => (Reflect.get(known, name) as unknown) ?? inert });
}

function refused(reason: PreflightReason, detail: string, error?: unknown): Refusal {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : null;
  return { status: 'refused', reason, detail, stack };
}
