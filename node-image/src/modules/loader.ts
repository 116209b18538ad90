import { Script } from 'node:vm';

import type { Bundle } from '../../../protocol/bundle.ts';
import { hotImportsIn } from '../../../shared/load-order.ts';
import { SCOPED_GLOBALS, CODE_CACHE_RUNTIME, SCRIPT_OPTIONS, moduleScript } from '../../../shared/module-script.ts';
import type { ReadySet } from '../packages/packages.ts';
import type { Hot } from '../../../types/hot.d.ts';
import { Lifetime } from '../sandbox/lifetime.ts';
import type { VersionLogger } from '../sandbox/version-logger.ts';
import type { PortOwner } from '../sandbox/listening/port-owner.ts';
import { scopedTimers } from '../sandbox/scoped-timers.ts';
import { versionGlobals } from '../sandbox/version-globals.ts';
import { callerSpan, type CodeOwner, runInContext, type Scope, scopeOf } from '../sandbox/execution-context.ts';
import { readNames } from '../sandbox/web-names.ts';
import type { Keeping } from './state/kept-values.ts';
import { type ModuleRequire, moduleRequire } from './package-use/module-require.ts';
import { type BundleInfo, scriptName, type Version } from './version.ts';

/** A revision that is compiled and not evaluated yet. */
export interface Prepared {
  readonly bundle: BundleInfo;
  /** The modules that its code imports as `hot:<module>`. */
  readonly imports: readonly string[];
  readonly script: Script;
  /** What it requires of packages; null when it uses none. */
  readonly packages: ReadySet | null;
}

/** What a bundle is evaluated with. */
export interface Environment {
  readonly data: Record<string, unknown>;
  readonly keeping: Keeping;
  readonly log: VersionLogger;
  /** The live exports of another module, for `import … from 'hot:<module>'`; with names, these exports only. */
  readonly hotImport: (module: string, names: readonly string[] | null) => object;
  /** Called with the errors of the version's timers, listeners and dispose callbacks. */
  readonly onError: (version: Version, error: unknown) => void;
  /** Runs code of the version that its servers call. */
  readonly run: <T>(version: Version, body: () => T) => T;
  /** Resolves when a request to a server of the version may start; null when it may now. */
  readonly untilResumed: (version: Version) => Promise<void> | null;
  /** Called when a server of the version gets a request. Returns what is to be called when the request has ended. */
  readonly onRequest: (version: Version, method: string, url: string) => (failed: boolean) => void;
}

/** The function that a module's script evaluates to. */
type Factory = (
  module: { exports: Record<string, unknown> },
  exports: object,
  require: ModuleRequire,
  hot: Hot,
  ...globals: unknown[]
) => void;

/**
 * Compiles a bundle whose packages are ready, with its code cache if that fits. Nothing of the bundle runs. The code is collected with the version
 * when the process runs with `--no-compilation-cache` (nodejs/node#63186).
 *
 * @throws SyntaxError
 */
export function compileVersion(
  { module, revision, exports, live, map, memoryBytes, code, cache }: Bundle,
  packages: ReadySet | null = null,
): Prepared {
  // V8 itself rejects a cache of another V8 version or other flags, but does not check the processor architecture.
  const cachedData = cache?.runtime === CODE_CACHE_RUNTIME ? { cachedData: cache.data } : {};
  const options = { ...SCRIPT_OPTIONS, ...cachedData, filename: scriptName({ module, revision }) };
  // Before the script: a debugger asks for its map as soon as it is compiled, and has to find it kept.
  const imports = hotImportsIn(code);
  readNames(code);
  const script = new Script(moduleScript(code), options);
  const bundle = { module, revision, exports, live, map, memoryBytes };
  return { bundle, imports, script, packages };
}

/**
 * Runs the top level of a prepared bundle and takes its exports. When it throws, everything that it opened is closed.
 *
 * @throws the error of the module.
 */
export function evaluateVersion(prepared: Prepared, environment: Environment): Version {
  const { data, keeping, log, onError, run, untilResumed, onRequest } = environment;
  const { module: name, revision } = prepared.bundle;
  const lifetime = new Lifetime(error => onError(version, error));
  const timers = new Set<NodeJS.Timeout>();
  const { globals, builtin } = versionGlobals(lifetime, log, scopedTimers(lifetime, timers));
  lifetime.closeOnEnd(() => log.flush());
  lifetime.finallyOnEnd(() => keeping.discard());
  const imports = new Set<string>();
  const hotImport: Environment['hotImport'] = (imported, names) => {
    imports.add(imported);
    return environment.hotImport(imported, names);
  };
  const packages = prepared.packages?.requireFor(name) ?? null;
  const require = moduleRequire({ module: name, hotImport, builtin, packages });
  const module = { exports: {} };
  // The value of the script: nothing of the module runs before it is called.
  const factory = prepared.script.runInThisContext() as Factory;
  let isLoading = true;
  const ports: PortOwner = {
    module: name,
    lifetime,
    print: (level, chunk) => log.print(level, chunk),
    isLoading: () => isLoading,
    run: body => run(version, body),
    untilResumed: () => untilResumed(version),
    beginRequest: (method, url) => onRequest(version, method, url),
  };
  let scope: Scope | null = null;
  const owner: CodeOwner = { script: scriptName(prepared.bundle), ports: new WeakRef(ports) };
  const version: Version = {
    module: name,
    revision,
    data,
    lifetime,
    timers,
    owner,
    get scope() {
      return (scope ??= scopeOf(owner));
    },
    ports,
    log,
    bundle: prepared.bundle,
    packages: prepared.packages,
    keeping,
    imports,
    loadedAt: Date.now(),
    drainingSince: null,
    calls: 0,
    ended: 0,
    requests: 0,
    errors: 0,
    code: () => Function.prototype.toString.call(factory),
    get exports() {
      return module.exports;
    },
  };
  try {
    const values = SCOPED_GLOBALS.map(global => globals[global]);
    runInContext(version.owner, null, () => factory(module, module.exports, require, hotOf(version), ...values));
  } catch (error) {
    void lifetime.end();
    throw error;
  } finally {
    isLoading = false;
  }
  return version;
}

function hotOf({ data, lifetime, keeping }: Version): Hot {
  return Object.freeze<Hot>({
    data,
    dataOf: <Data extends object>(initial: Data) => {
      for (const [key, value] of Object.entries(initial)) if (!Object.hasOwn(data, key)) data[key] = value;
      return data as Data;
    },
    get signal() {
      return lifetime.signal;
    },
    dispose: callback => lifetime.onEnd(() => callback(data)),
    prune: callback => lifetime.onRemoval(() => callback(data)),
    keep: keeping.keep,
    get traceparent() {
      return callerSpan();
    },
  });
}
