import { createRequire } from 'node:module';
import { Writable } from 'node:stream';

import type { Logger } from '../../../shared/logger.ts';
import { TIMERS } from '../../../shared/module-script.ts';
import { currentOwner } from '../sandbox/execution-context.ts';
import { Lifetime } from '../sandbox/lifetime.ts';
import type { ScopedResources } from '../sandbox/scoped-resources.ts';
import { type Output, versionGlobals } from '../sandbox/version-globals.ts';
import type { PackageRequire } from './file-record.ts';

/** The globals of which each package has its own. Other globals are Node's. */
export const PACKAGE_GLOBALS = [...TIMERS, 'console', 'process'] as const;

/** What the files of one package see of the process. Its timers and its listeners on `process` end with the package. */
export interface PackageGlobals {
  readonly lifetime: Lifetime;
  /** In the order of {@link PACKAGE_GLOBALS}. */
  readonly values: readonly unknown[];
  /** A built-in module by its name, with or without `node:`. */
  readonly builtin: (id: string) => unknown;
}

export interface GlobalsDeps {
  readonly log: Logger;
  readonly resources: ScopedResources;
  /** Called with the errors of a package's timers and listeners. */
  readonly onError: (error: unknown) => void;
  /** `module.createRequire` for a file of a package; null for other files. */
  readonly requireFor: (file: string | URL) => PackageRequire | null;
}

/** @param label the name and version of the package. */
export function packageGlobals(label: string, { log, resources, onError, requireFor }: GlobalsDeps): PackageGlobals {
  const lifetime = new Lifetime(onError);
  const module = () => moduleWith(file => requireFor(file) ?? createRequire(file));
  const own = versionGlobals(lifetime, outputOf(label, log), resources.timers(lifetime), { module });
  return { lifetime, values: PACKAGE_GLOBALS.map(name => own.globals[name]), builtin: own.builtin };
}

/** What a package prints belongs to the version whose code runs, or else to the package. */
function outputOf(label: string, log: Logger): Output {
  const stream = (level: 'info' | 'warn'): Writable =>
    new Writable({
      decodeStrings: false,
      write: (chunk: string | Uint8Array, _encoding, done) => {
        const owner = currentOwner();
        if (owner !== null) owner.print(level, chunk);
        else
          log[level]({ package: label }, (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()).trimEnd());
        done();
      },
    });
  return { stream };
}

/** `node:module` with another `createRequire`. */
function moduleWith(createRequireFor: (file: string | URL) => unknown): object {
  const original = createRequire(import.meta.url)('node:module') as object;
  const module: object = new Proxy(original, {
    get: (target, name): unknown => {
      if (name === 'createRequire') return createRequireFor;
      return name === 'Module' ? module : Reflect.get(target, name);
    },
  });
  return module;
}
