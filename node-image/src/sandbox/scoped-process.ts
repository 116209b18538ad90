import { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';

import type { Lifetime } from './lifetime.ts';

/** What acts on the whole process, and what a module does in its place. */
const NOT_FOR_MODULES: Readonly<Record<string, string>> = {
  exit: 'throw an error, or remove the module',
  abort: 'throw an error, or remove the module',
  reallyExit: 'throw an error, or remove the module',
  execve: 'start a child process',
  chdir: 'use absolute paths',
  setUncaughtExceptionCaptureCallback: 'listen to uncaughtException',
  setuid: 'start a child process',
  setgid: 'start a child process',
  seteuid: 'start a child process',
  setegid: 'start a child process',
  setgroups: 'start a child process',
  initgroups: 'start a child process',
};

const kill = process.kill.bind(process);
const umask = process.umask.bind(process);

/** The functions of `process` that modules must not have, each as one that throws and says what to do. */
const REFUSALS: PropertyDescriptorMap = {
  ...Object.fromEntries(
    Object.entries(NOT_FOR_MODULES).map(([name, advice]) => [name, replacing(refusing(name, advice))]),
  ),
  // Below 2 are the container's first process, and whole groups.
  kill: replacing((target: number, signal?: string | number) =>
    signal === 0 || (target > 1 && target !== process.pid)
      ? kill(target, signal)
      : refusing('kill', 'kill child processes only')(),
  ),
  umask: replacing((...mask: []) => (mask.length === 0 ? umask() : refusing('umask', 'use chmod')())),
};

/** `process` as no module can do harm by it; what else a version has of its own is put before this. */
const HARMLESS = Object.create(process, REFUSALS) as NodeJS.Process;

/**
 * Takes from `process` what would end the node or change it for all of its modules, for code that goes past what
 * {@link scopedProcess} gives it. Gives the way to end the node all the same. No property can be added to all objects any
 * more: the node itself could read no message then.
 */
export function guardProcess(): (code: number) => never {
  const before = Object.fromEntries(
    Object.keys(REFUSALS).map(name => [name, Object.getOwnPropertyDescriptor(process, name)]),
  ) as PropertyDescriptorMap;
  Object.defineProperties(process, REFUSALS);
  Object.preventExtensions(Object.prototype);
  return code => {
    Object.defineProperties(process, before);
    return process.exit(code);
  };
}

/**
 * `process` for one version. Its listeners are a list of the version's own, and go with it; its `env` is a copy; what it
 * writes goes to its log; and what would end the node throws. All else is Node's.
 */
export function scopedProcess(
  lifetime: Lifetime,
  { stdout, stderr }: { readonly stdout: Writable; readonly stderr: Writable },
): NodeJS.Process {
  const listeners = new EventEmitter();
  // The version may listen as often as it wants to: it is the list of the node's process that would grow.
  listeners.setMaxListeners(0);
  const forwarders = new Map<string | symbol, (...args: unknown[]) => void>();
  const forward = (event: string | symbol): void => {
    if (forwarders.has(event) || lifetime.signal.aborted) return;
    const forwarder = (...args: unknown[]): void => lifetime.guard(() => void listeners.emit(event, ...args));
    forwarders.set(event, forwarder);
    process.on(event, forwarder);
  };
  const silence = (event: string | symbol): void => {
    const forwarder = forwarders.get(event);
    forwarders.delete(event);
    if (forwarder !== undefined) process.off(event, forwarder);
  };
  listeners.on('newListener', forward);
  lifetime.owns(() => {
    for (const event of forwarders.keys()) silence(event);
  });

  const own = Object.create(HARMLESS, {
    exitCode: {
      get: () => process.exitCode,
      set: refusing('exitCode', 'throw an error, or remove the module'),
    },
    // Made when it is asked for: most versions never do.
    env: { configurable: true, get: () => define('env', { ...process.env }) },
    stdout: { value: stdout },
    stderr: { value: stderr },
  }) as NodeJS.Process;
  const define = (name: string, value: unknown): unknown => {
    Object.defineProperty(own, name, replacing(value));
    return value;
  };
  for (const name of EMITTER_METHODS) {
    const method = (...args: unknown[]): unknown => {
      const result: unknown = Reflect.apply(listeners[name] as () => unknown, listeners, args);
      return result === listeners ? own : result;
    };
    define(name, method);
  }
  // Here and not before: a module's own removeAllListeners() would take `forward` away.
  define('removeAllListeners', (...events: [] | [string | symbol]) => {
    for (const event of events.length === 0 ? [...forwarders.keys()] : events) listeners.removeAllListeners(event);
    return own;
  });
  return own;
}

/** What EventEmitter does for a version on its own list. */
const EMITTER_METHODS = [
  'on',
  'once',
  'addListener',
  'prependListener',
  'prependOnceListener',
  'off',
  'removeListener',
  'emit',
  'listeners',
  'rawListeners',
  'listenerCount',
  'setMaxListeners',
  'getMaxListeners',
] as const;

function replacing(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true };
}

function refusing(name: string, advice: string): () => never {
  return () => {
    throw new Error(`process.${name} is not for modules, it acts on the whole node: ${advice}`);
  };
}
