import { Console } from 'node:console';
import { createRequire, isBuiltin } from 'node:module';

import type { SCOPED_GLOBALS } from '../../../shared/module-script.ts';
import type { Lifetime } from './lifetime.ts';
import { lazyProxy } from './lazy-proxy.ts';
import type { VersionLogger } from './version-logger.ts';
import { scopedProcess } from './scoped-process.ts';
import { scopedTimers, promisedTimers, timersModule } from './scoped-timers.ts';

/** What of Node a version has its own of. */
export interface VersionGlobals {
  readonly globals: Readonly<Record<(typeof SCOPED_GLOBALS)[number], unknown>>;
  /** A built-in module by its name, with or without `node:`; null when there is none. */
  readonly builtin: (id: string) => unknown;
}

const requireBuiltin = createRequire(import.meta.url);

/** Makes a version's own timers, console and `process`, wherever it takes them from: what they hold ends with it. */
export function versionGlobals(lifetime: Lifetime, log: VersionLogger): VersionGlobals {
  const timers = scopedTimers(lifetime);
  // To make these takes longer than the rest of a swap, and most modules print nothing.
  const stdout = lazyProxy(() => log.stream('info'));
  const stderr = lazyProxy(() => log.stream('warn'));
  const streams = { stdout, stderr };
  const console = lazyProxy(() => Object.assign(new Console(streams), { Console }));
  const process = scopedProcess(lifetime, streams);
  const builtins: Readonly<Record<string, () => unknown>> = {
    timers: () => timersModule(timers),
    'timers/promises': () => promisedTimers(timers),
    process: () => process,
    console: () => console,
  };
  const made = new Map<string, unknown>();
  const builtin = (id: string): unknown => {
    const name = id.replace(/^node:/, '');
    const make = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
    if (make === undefined) return isBuiltin(id) ? requireBuiltin(id) : null;
    if (!made.has(name)) made.set(name, make());
    return made.get(name);
  };
  Object.defineProperty(process, 'getBuiltinModule', { value: (id: string) => builtin(id) ?? undefined });

  const own: Record<string, unknown> = { ...timers, console, process };
  const view: object = new Proxy(globalThis, {
    get: (target, name) =>
      typeof name === 'string' && Object.hasOwn(own, name) ? own[name] : (Reflect.get(target, name) as unknown),
    // What is the version's own it may replace for itself; all else is shared, as between modules of one program.
    set: (target, name, value) => {
      if (typeof name !== 'string' || !Object.hasOwn(own, name)) return Reflect.set(target, name, value);
      own[name] = value;
      return true;
    },
  });
  Object.assign(own, { global: view, globalThis: view });
  return { globals: { ...own } as VersionGlobals['globals'], builtin };
}
