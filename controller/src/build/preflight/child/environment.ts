import { liveObject } from '../../../../../shared/hot-exports.ts';
import { builtIns } from './built-ins.ts';
import { hotExports } from './hot-exports.ts';
import { stub } from './stub.ts';
import type { PreflightReason } from '../protocol.ts';

/** A module did something forbidden. It is refused even if it catches the error. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly reason: PreflightReason;

  constructor(reason: PreflightReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The environment of modules under test. `used` has what they did since the last `reset`. */
export interface Environment {
  /** The `require` of a module, with the packages that it uses. */
  readonly requireWith: (packages: PackageRequire | null) => ModuleRequire;
  /** Stands in for everything with I/O. */
  readonly io: object;
  /** Stands in for timers and the console. A module does not notice the difference while it loads. */
  readonly inert: object;
  /** `stub`: a stub with I/O, or a variable of the environment; `native`: a native addon. */
  readonly used: { stub: boolean; native: boolean; violation: Violation | null };
  readonly reset: () => void;
  /** Has later modules import a module that has loaded. Imports of other modules get a stub. */
  readonly provide: (module: string, exports: object) => void;
}

type ModuleRequire = (id: string, names?: readonly string[]) => unknown;

/** Gives a file of a package, or the namespace that an import sees; undefined for what is none. */
export type PackageRequire = (specifier: string, isNamespace: boolean) => unknown;

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'];
const IO = ['fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'localStorage', 'sessionStorage'];

/** Replaces everything with I/O in this process by stubs. It can't be undone: the process serves one run. */
export function stubEnvironment(): Environment {
  const used: Environment['used'] = { stub: false, native: false, violation: null };
  const onUse = (): void => void (used.stub = true);
  const io = stub(onUse);
  const inert = stub();
  const provided = new Map<string, object>();
  const hotImport = (module: string, names?: readonly string[]): object => {
    const all = provided.get(module);
    if (names === undefined) return all ?? io;
    return liveObject(names, name => (all === undefined ? io : (Reflect.get(all, name) as unknown)));
  };
  const provide = (module: string, exports: object): void =>
    void provided.set(module, hotExports(module, exports, onUse));
  const require = builtIns({ io, inert, hotImport, onNative: () => (used.native = true), onListen: onUse });
  const forbid = (reason: PreflightReason, message: string) => () => {
    used.violation ??= new Violation(reason, message);
    throw used.violation;
  };
  const ownPid = process.pid;
  const exit = forbid('exit', 'it ends the process');
  Object.assign(process, {
    exit,
    reallyExit: exit,
    abort: exit,
    kill: (pid: number, signal?: unknown) => (pid === ownPid && signal !== 0 ? exit() : true),
    chdir: forbid('chdir', 'it changes the working directory'),
    dlopen: forbid('native_addon', 'it loads a native addon'),
    getBuiltinModule: (id: string) => require(id),
    send: undefined,
    disconnect: undefined,
    // The environment of the nodes is not known here.
    env: new Proxy(process.env, {
      get: (env, name) => {
        if (typeof name === 'string' && !(name in env)) onUse();
        return Reflect.get(env, name) as unknown;
      },
      has: (env, name) => (onUse(), Reflect.has(env, name)),
      ownKeys: env => (onUse(), Reflect.ownKeys(env)),
    }),
  });
  for (const name of TIMERS) replace(name, inert);
  for (const name of IO) replace(name, io);
  const reset = (): void => void Object.assign(used, { stub: false, native: false, violation: null });
  const requireWith: Environment['requireWith'] = packages => {
    const own: ModuleRequire = (id, names) => packages?.(id, false) ?? require(id, names);
    return Object.assign(own, { import: (id: string) => packages?.(id, true) ?? require(id) });
  };
  return { requireWith, io, inert, used, reset, provide };
}

function replace(name: string, value: object): void {
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
}
