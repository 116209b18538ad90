import type { EventEmitter } from 'node:events';

type Emit = (event: unknown, ...args: unknown[]) => boolean;

/** Has the listeners of an emitter that the node itself has made run as code of a version. */
export function runEvents(emitter: EventEmitter, run: <T>(body: () => T) => T): void {
  const emit = emitter.emit.bind(emitter) as Emit;
  Reflect.set(emitter, 'emit', (...args: Parameters<Emit>) => run(() => emit(...args)));
}
