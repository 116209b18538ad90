import { builtIns } from './built-ins.ts';
import { stub } from './stub.ts';
import type { PreflightReason } from '../protocol.ts';

/** What a module did that must not be done. It counts whether the module catches the error or not. */
export class Offence extends Error {
  override readonly name = 'Offence';
  readonly reason: PreflightReason;

  constructor(reason: PreflightReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What modules see in place of the outside world, and what they did with it since the last {@link reset}. */
export interface Environment {
  readonly require: (id: string) => unknown;
  /** Is there, and does nothing that a module could notice while it loads: timers, the console. */
  readonly still: object;
  readonly seen: { touched: boolean; offence: Offence | null; native: boolean };
  readonly reset: () => void;
}

const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'];
const OUTSIDE = ['fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'localStorage', 'sessionStorage'];

/**
 * Puts stand-ins in the place of everything in this process that reaches outside, for good: the process is thrown away
 * after its modules.
 */
export function surround(): Environment {
  const seen: Environment['seen'] = { touched: false, offence: null, native: false };
  const touched = (): void => void (seen.touched = true);
  const outside = stub(touched);
  const still = stub();
  const require = builtIns({ outside, still, onNative: () => (seen.native = true) });
  const forbid = (reason: PreflightReason, message: string) => () => {
    seen.offence ??= new Offence(reason, message);
    throw seen.offence;
  };
  const own = process.pid;
  const exit = forbid('exit', 'it ends the process');
  Object.assign(process, {
    exit,
    reallyExit: exit,
    abort: exit,
    kill: (pid: number, signal?: unknown) => (pid === own && signal !== 0 ? exit() : true),
    chdir: forbid('chdir', 'it changes the working directory'),
    dlopen: forbid('native_addon', 'it loads a native addon'),
    getBuiltinModule: (id: string) => require(id),
    send: undefined,
    disconnect: undefined,
    // What is set on the nodes is not known here.
    env: new Proxy(process.env, {
      get: (env, name) => {
        if (typeof name === 'string' && !(name in env)) touched();
        return Reflect.get(env, name) as unknown;
      },
    }),
  });
  for (const name of TIMERS) replace(name, still);
  for (const name of OUTSIDE) replace(name, outside);
  const reset = (): void => void Object.assign(seen, { touched: false, offence: null, native: false });
  return { require, still, seen, reset };
}

function replace(name: string, value: object): void {
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
}
