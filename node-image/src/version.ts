import { createRequire, isBuiltin } from 'node:module';
import { Script } from 'node:vm';

import type { Bundle } from '../../protocol/bundle.ts';
import { shortRevision } from '../../protocol/revision.ts';

/** What a module sees as `import.meta.hot`. */
export interface Hot {
  /** Belongs to the module, not to a version: it survives every swap. */
  readonly data: Record<string, unknown>;
}

/** A revision that is compiled and has not run. */
export interface Prepared {
  readonly bundle: Bundle;
  readonly factory: Factory;
}

/** A revision that was evaluated; its exports can be called. */
export interface Version {
  readonly module: string;
  readonly revision: string;
  readonly exports: Record<string, unknown>;
  /** Calls that began on this version and have not ended. */
  calls: number;
  /** Calls that have ended, and how many of them failed. */
  ended: number;
  errors: number;
}

type Factory = (
  module: { exports: Record<string, unknown> },
  exports: object,
  require: (id: string) => unknown,
  hot: Hot,
  console: Console,
) => void;

const requireBuiltin = createRequire(import.meta.url);

/**
 * Compiles a bundle; nothing of it runs. `vm.Script` lets the code go when the version goes, provided that the
 * process runs with `--no-compilation-cache` (nodejs/node#63186).
 *
 * @throws SyntaxError
 */
export function compileVersion(bundle: Bundle): Prepared {
  // The parameters' names are those that the controller's compiler writes into a module.
  const script = new Script(`(function (module, exports, require, __hotcast_hot, console) {${bundle.code}\n})`, {
    filename: `${bundle.module}@${shortRevision(bundle.revision)}`,
  });
  return { bundle, factory: script.runInThisContext() as Factory };
}

/**
 * Runs a prepared bundle's top level and takes its exports.
 *
 * @throws whatever the module throws while it loads.
 */
export function evaluateVersion(prepared: Prepared, hot: Hot, console: Console): Version {
  const { bundle, factory } = prepared;
  const module = { exports: {} };
  factory(module, module.exports, requireFrom(bundle.module), Object.freeze(hot), console);
  return { module: bundle.module, revision: bundle.revision, exports: module.exports, calls: 0, ended: 0, errors: 0 };
}

function requireFrom(module: string): (id: string) => unknown {
  return id => {
    if (isBuiltin(id)) return requireBuiltin(id);
    throw new Error(`module ${module} requires ${id}, which is no built-in of Node ${process.version}`);
  };
}
