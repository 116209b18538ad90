import { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';

import type { Lifetime } from './lifetime.ts';

/** The functions that act on the whole process, by what a module can do instead. */
const UNAVAILABLE: Readonly<Record<string, readonly string[]>> = {
  'throw an error, or remove the module': ['exit', 'abort', 'reallyExit'],
  'start a child process': ['execve', 'setuid', 'setgid', 'seteuid', 'setegid', 'setgroups', 'initgroups'],
  'use absolute paths': ['chdir'],
  'listen to uncaughtException': ['setUncaughtExceptionCaptureCallback'],
};

const kill = process.kill.bind(process);
const umask = process.umask.bind(process);

/** Replacements of functions that modules must not call. Each throws an error that names the alternative. */
const REPLACEMENTS: PropertyDescriptorMap = {
  ...Object.fromEntries(
    Object.entries(UNAVAILABLE).flatMap(([advice, names]) =>
      names.map(name => [name, property(throwing(name, advice))]),
    ),
  ),
  // Process 1 is the container's first process; 0 and negative numbers are process groups.
  kill: property((target: number, signal?: string | number) =>
    signal === 0 || (target > 1 && target !== process.pid)
      ? kill(target, signal)
      : throwing('kill', 'kill child processes only')(),
  ),
  umask: property((...mask: []) => (mask.length === 0 ? umask() : throwing('umask', 'use chmod')())),
};

const EXIT_CODE: PropertyDescriptor = {
  configurable: true,
  get: () => process.exitCode,
  set: throwing('exitCode', 'throw an error, or remove the module'),
};

/** `process` without those functions. It is the prototype of the `process` of each version. */
const SAFE_PROCESS = Object.create(process, REPLACEMENTS) as NodeJS.Process;

/**
 * Replaces the functions of the real `process` that would end the node or affect all modules, for code that does not use
 * its {@link scopedProcess}. Also makes `Object.prototype` non-extensible: a property on all objects would break the
 * node's own decoding. This can't be undone.
 *
 * @returns the original `process.exit`.
 */
export function guardProcess(): (code: number) => never {
  const original = Object.fromEntries(
    Object.keys(REPLACEMENTS).map(name => [name, Object.getOwnPropertyDescriptor(process, name)]),
  ) as PropertyDescriptorMap;
  Object.defineProperties(process, REPLACEMENTS);
  Object.preventExtensions(Object.prototype);
  return code => {
    Object.defineProperties(process, original);
    return process.exit(code);
  };
}

/**
 * The `process` of one version. Its listeners are removed with the version, its `env` is a copy, its output goes to the
 * version's log, and functions that would end the node throw. The rest is Node's.
 */
export function scopedProcess(
  lifetime: Lifetime,
  { stdout, stderr }: { readonly stdout: Writable; readonly stderr: Writable },
): NodeJS.Process {
  const scoped = Object.create(SCOPED_PROCESS, {
    [LISTEN]: { value: () => defineEmitter(scoped, lifetime) },
    exitCode: EXIT_CODE,
    // Copied at the first use: most versions never use it.
    env: { configurable: true, get: () => define(scoped, 'env', { ...process.env }) },
    stdout: { configurable: true, value: stdout },
    stderr: { configurable: true, value: stderr },
  }) as NodeJS.Process;
  return scoped;
}

/** Makes the methods of an emitter of a version's `process`: own properties, each with the version's own listeners. */
function defineEmitter(scoped: NodeJS.Process, lifetime: Lifetime): void {
  const listeners = new EventEmitter();
  // No warning for many listeners: the node's own process gets one listener per event.
  listeners.setMaxListeners(0);
  const forwarders = new Map<string | symbol, (...args: unknown[]) => void>();
  const forward = (event: string | symbol): void => {
    if (forwarders.has(event) || lifetime.ended) return;
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
  lifetime.closeOnEnd(() => {
    for (const event of forwarders.keys()) silence(event);
  });
  for (const name of EMITTER_METHODS) {
    const method = (...args: unknown[]): unknown => {
      const result: unknown = Reflect.apply(listeners[name] as () => unknown, listeners, args);
      return result === listeners ? scoped : result;
    };
    define(scoped, name, method);
  }
  // EventEmitter's own removeAllListeners() would also remove `forward`.
  define(scoped, 'removeAllListeners', (...events: [] | [string | symbol]) => {
    for (const event of events.length === 0 ? [...forwarders.keys()] : events) listeners.removeAllListeners(event);
    return scoped;
  });
}

/**
 * Gives a {@link scopedProcess} the own enumerable properties of Node's: what a compiler makes of `import * as process` copies
 * these, and no others.
 */
export function withOwnProperties(scoped: NodeJS.Process): NodeJS.Process {
  for (const name of Object.keys(process)) {
    const inherited = {
      configurable: true,
      get: () => Reflect.get(SAFE_PROCESS, name) as unknown,
      set: (value: unknown) => void Object.defineProperty(scoped, name, { ...property(value), enumerable: true }),
    };
    const own = Object.getOwnPropertyDescriptor(scoped, name);
    Object.defineProperty(scoped, name, { ...(own ?? inherited), enumerable: true });
  }
  return scoped;
}

/** The methods of EventEmitter that use the version's own list of listeners. */
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

/** Defines the methods of an emitter on a {@link scopedProcess}. */
const LISTEN = Symbol('hotcast.listen');

/** A {@link scopedProcess}, or what has it as its prototype. */
type Listening = Readonly<Record<typeof LISTEN, () => void>>;

/**
 * The prototype of the `process` of each version. The methods of an emitter are made when the version asks for one of them: that takes
 * longer than most of a swap, and few modules do.
 */
const SCOPED_PROCESS = Object.create(
  SAFE_PROCESS,
  Object.fromEntries(
    [...EMITTER_METHODS, 'removeAllListeners'].map(name => [
      name,
      {
        configurable: true,
        get(this: Listening): unknown {
          this[LISTEN]();
          return Reflect.get(this, name) as unknown;
        },
        set(this: Listening, value: unknown): void {
          this[LISTEN]();
          define(this, name, value);
        },
      },
    ]),
  ),
) as NodeJS.Process;

function define(target: object, name: string, value: unknown): unknown {
  Object.defineProperty(target, name, property(value));
  return value;
}

function property(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true };
}

function throwing(name: string, advice: string): () => never {
  return () => {
    throw new Error(`process.${name} is not available in modules because it affects the whole node: ${advice}`);
  };
}
