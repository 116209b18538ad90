import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

import { currentScript } from './execution-context.ts';
import type { Lifetime } from './lifetime.ts';
import { type ScopedTimers, scopedTimers } from './scoped-timers.ts';

/** What code of a version has opened in packages, and is open: timers, and connections to other processes. */
export interface OpenResources {
  readonly timers: number;
  readonly sockets: number;
}

/** The channel on which Node.js publishes each connection that a process opens. */
const CLIENT_SOCKETS = 'net.client.socket';

/**
 * Counts what is opened while the code of a version runs and that does not end with the version: a shared package can need it
 * for other versions. Each is counted for the version whose code was the first to need it.
 */
export class ScopedResources {
  readonly #owners = new WeakMap<object, string>();
  readonly #timeouts = new Set<ReadonlySet<NodeJS.Timeout>>();
  readonly #sockets = new Set<Socket>();

  readonly #onSocket = (message: unknown): void => {
    const script = currentScript();
    if (script === null) return;
    const { socket } = message as { readonly socket: Socket };
    this.#owners.set(socket, script);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  };

  constructor() {
    subscribe(CLIENT_SOCKETS, this.#onSocket);
  }

  /** Timers of shared code. They end with `lifetime`, and are counted for the versions. */
  timers(lifetime: Lifetime): ScopedTimers {
    const owners = this.#owners;
    class CountedTimeouts extends Set<NodeJS.Timeout> {
      override add(timeout: NodeJS.Timeout): this {
        const script = currentScript();
        if (script !== null) owners.set(timeout, script);
        return super.add(timeout);
      }
    }
    const timeouts = new CountedTimeouts();
    this.#timeouts.add(timeouts);
    lifetime.closeOnEnd(() => this.#timeouts.delete(timeouts));
    return scopedTimers(lifetime, timeouts);
  }

  /** What versions have left open, by their scripts. */
  open(): ReadonlyMap<string, OpenResources> {
    const open = new Map<string, OpenResources>();
    const count = (resource: object, kind: keyof OpenResources): void => {
      const script = this.#owners.get(resource);
      if (script === undefined) return;
      const counted = open.get(script) ?? { timers: 0, sockets: 0 };
      open.set(script, { ...counted, [kind]: counted[kind] + 1 });
    };
    for (const timeout of [...this.#timeouts].flatMap(timeouts => [...timeouts])) {
      // It can be closed by its own close() too.
      if (Reflect.get(timeout, '_destroyed') !== true) count(timeout, 'timers');
    }
    for (const socket of this.#sockets) count(socket, 'sockets');
    return open;
  }

  [Symbol.dispose](): void {
    unsubscribe(CLIENT_SOCKETS, this.#onSocket);
  }
}
