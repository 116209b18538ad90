import { Script } from 'node:vm';

import type { Bundle } from '../../../protocol/bundle.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { SCOPED_GLOBALS, CODE_CACHE_RUNTIME, SCRIPT_OPTIONS, moduleScript } from '../../../shared/module-script.ts';
import type { Hot } from '../../../types/hot.d.ts';
import { Lifetime } from '../sandbox/lifetime.ts';
import type { VersionLogger } from '../sandbox/version-logger.ts';
import { versionGlobals } from '../sandbox/version-globals.ts';
import { runInContext } from '../sandbox/execution-context.ts';

/** What is kept of a bundle beside its script, which holds the code. */
export type Origin = Pick<Bundle, 'module' | 'revision' | 'exports' | 'map'>;

/** A revision that is compiled and has not run. */
export interface Prepared {
  readonly bundle: Origin;
  readonly script: Script;
}

/** A revision that was evaluated; its exports can be called. */
export interface Version {
  readonly module: string;
  readonly revision: string;
  readonly exports: Record<string, unknown>;
  readonly data: Record<string, unknown>;
  readonly lifetime: Lifetime;
  readonly log: VersionLogger;
  /** The modules that it has imported as `hot:<module>`. */
  readonly imports: ReadonlySet<string>;
  /** Calls in flight that began on this version, or may be in it by a hot import. */
  calls: number;
  /** Calls that have ended. */
  ended: number;
  /** Calls that failed, and errors in its timers and promises. */
  errors: number;
}

/** What surrounds a version: everything that it does not bring itself. */
export interface Environment {
  readonly data: Record<string, unknown>;
  readonly log: VersionLogger;
  /** The live exports of another module, for `import … from 'hot:<module>'`. */
  readonly hotImport: (module: string) => object;
  /** Told what the version's timers and clean-up throw. */
  readonly onError: (version: Version, error: unknown) => void;
}

/** What a module's script gives. */
type Factory = (
  module: { exports: Record<string, unknown> },
  exports: object,
  require: (id: string) => unknown,
  hot: Hot,
  ...globals: unknown[]
) => void;

const HOT = 'hot:';

/** How a revision is called in stacks and logs: `demo@3f2a9c81b0d4`. */
export function scriptName({ module, revision }: { readonly module: string; readonly revision: string }): string {
  return `${module}@${shortRevision(revision)}`;
}

/**
 * Compiles a bundle, or takes over what V8 made of it elsewhere; nothing of it runs. The code goes when the version goes,
 * provided that the process runs with `--no-compilation-cache` (nodejs/node#63186).
 *
 * @throws SyntaxError
 */
export function compileVersion({ module, revision, exports, map, code, cache }: Bundle): Prepared {
  // V8 looks at version and flags itself, and compiles when they differ; of the processor it knows nothing.
  const cachedData = cache?.runtime === CODE_CACHE_RUNTIME ? { cachedData: cache.data } : {};
  const options = { ...SCRIPT_OPTIONS, ...cachedData, filename: scriptName({ module, revision }) };
  return { bundle: { module, revision, exports, map }, script: new Script(moduleScript(code), options) };
}

/**
 * Runs a prepared bundle's top level and takes its exports. When it throws, all that it had opened is closed again.
 *
 * @throws whatever the module throws while it loads.
 */
export function evaluateVersion(prepared: Prepared, { data, log, hotImport, onError }: Environment): Version {
  const { module: name, revision } = prepared.bundle;
  const lifetime = new Lifetime(error => onError(version, error));
  const { globals, builtin } = versionGlobals(lifetime, log);
  const imports = new Set<string>();
  const require = (id: string): unknown => {
    if (id.startsWith(HOT)) {
      imports.add(id.slice(HOT.length));
      return hotImport(id.slice(HOT.length));
    }
    const found = builtin(id);
    if (found !== null) return found;
    throw new Error(`module ${name} requires ${id}, which is no built-in of Node ${process.version}`);
  };
  const module = { exports: {} };
  const version: Version = {
    module: name,
    revision,
    data,
    lifetime,
    log,
    imports,
    calls: 0,
    ended: 0,
    errors: 0,
    get exports() {
      return module.exports;
    },
  };
  try {
    const factory = prepared.script.runInThisContext() as Factory;
    const values = SCOPED_GLOBALS.map(each => globals[each]);
    runInContext(scriptName(version), null, () =>
      factory(module, module.exports, require, hotOf(data, lifetime), ...values),
    );
  } catch (error) {
    void lifetime.end();
    throw error;
  }
  return version;
}

function hotOf(data: Record<string, unknown>, lifetime: Lifetime): Hot {
  return Object.freeze<Hot>({
    data,
    dataOf: <Data extends object>(initial: Data) => {
      for (const [key, value] of Object.entries(initial)) if (!Object.hasOwn(data, key)) data[key] = value;
      return data as Data;
    },
    signal: lifetime.signal,
    dispose: callback => lifetime.onEnd(() => callback(data)),
    prune: callback => lifetime.onRemoval(() => callback(data)),
  });
}
