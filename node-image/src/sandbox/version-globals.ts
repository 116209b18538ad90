import { Console } from 'node:console';
import { createRequire, isBuiltin } from 'node:module';

import type { SCOPED_GLOBALS } from '../../../shared/module-script.ts';
import type { Lifetime } from './lifetime.ts';
import { lazyProxy } from './lazy-proxy.ts';
import type { VersionLogger } from './version-logger.ts';
import { scopedProcess, withOwnProperties } from './scoped-process.ts';
import { type ScopedTimers, scopedTimers, promisedTimers, timersModule } from './scoped-timers.ts';

const requireBuiltin = createRequire(import.meta.url);

/** Where the output of `console` and `process` goes. */
export type Output = Pick<VersionLogger, 'stream'>;

/**
 * Creates the timers, console and `process` of a version, as globals and as built-in modules. They end with it.
 *
 * @param more other built-in modules that differ from Node's, by their names.
 */
export function versionGlobals(
  lifetime: Lifetime,
  log: Output,
  timers: ScopedTimers = scopedTimers(lifetime),
  more: Readonly<Record<string, () => unknown>> = {},
) {
  // Creating these takes longer than the rest of a swap, and most modules print nothing.
  const stdout = lazyProxy(() => log.stream('info'));
  const stderr = lazyProxy(() => log.stream('warn'));
  const streams = { stdout, stderr };
  const console = lazyProxy(() => Object.assign(new Console(streams), { Console }));
  const process = scopedProcess(lifetime, streams);
  const builtins: Readonly<Record<string, () => unknown>> = {
    timers: () => timersModule(timers),
    'timers/promises': () => promisedTimers(timers),
    process: () => withOwnProperties(process),
    console: () => console,
    ...more,
  };
  const created = new Map<string, unknown>();
  /** Returns a built-in module by its name, with or without `node:`; null when there is none. */
  const builtin = (id: string): unknown => {
    const name = id.replace(/^node:/, '');
    const create = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
    if (create === undefined) return isBuiltin(id) ? requireBuiltin(id) : null;
    if (!created.has(name)) created.set(name, create());
    return created.get(name);
  };
  Object.defineProperty(process, 'getBuiltinModule', {
    configurable: true,
    value: (id: string) => builtin(id) ?? undefined,
  });

  const scoped: Record<string, unknown> = { ...timers, console, process };
  const view: object = new Proxy(globalThis, {
    get: (target, name) =>
      typeof name === 'string' && Object.hasOwn(scoped, name) ? scoped[name] : (Reflect.get(target, name) as unknown),
    // Assigning a scoped global changes it for this version only. All other globals are shared by all modules.
    set: (target, name, value) => {
      if (typeof name !== 'string' || !Object.hasOwn(scoped, name)) return Reflect.set(target, name, value);
      scoped[name] = value;
      return true;
    },
  });
  Object.assign(scoped, { global: view, globalThis: view });
  return { globals: { ...scoped } as Readonly<Record<(typeof SCOPED_GLOBALS)[number], unknown>>, builtin };
}
