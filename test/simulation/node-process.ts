import { AsyncLocalStorage } from 'node:async_hooks';

import { handleRequests } from '../../node-image/src/cluster/request-handlers.ts';
import { createReconciler, type Reconciler } from '../../node-image/src/cluster/reconciler.ts';
import { CodeServer } from '../../node-image/src/modules/code-server.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import { verifierOf, recordingLog } from '../unit/fixtures.ts';
import type { Connection, Network } from './network.ts';
import { recordsOf, type Stream } from './stream.ts';

const running = new AsyncLocalStorage<string>();

/** How a module of {@link compileSource} knows where it runs. */
Object.assign(globalThis, { hotcastNode: () => running.getStore() });

/** A module on a node, as seen from outside. */
export interface Running {
  readonly revision: string;
  /** Of the head that put it there. */
  readonly sequence: number;
  readonly data: Record<string, unknown>;
}

/** One life of a node: the real one from its messages inwards, over a network and a stream in memory. */
export class NodeProcess {
  readonly name: string;
  readonly #codeServer: CodeServer;
  readonly #connection: Connection;
  readonly #reconciler: Reconciler;
  readonly #log = recordingLog();

  constructor(name: string, network: Network, stream: Stream, subjects: Subjects) {
    this.name = name;
    this.#codeServer = new CodeServer(this.#log);
    this.#connection = network.connect(name);
    const reconciler = (this.#reconciler = createReconciler(
      name,
      this.#codeServer,
      recordsOf(name, stream, network),
      this.#log,
    ));
    void running.run(name, async () => {
      await handleRequests({
        nats: this.#inside(this.#connection).nats,
        subjects,
        identity: { name, container: name },
        verifier: verifierOf(subjects),
        codeServer: this.#codeServer,
        reconciler,
        heartbeat: { setInterval: () => undefined },
        loopDelay: { max: 0, reset: () => undefined },
        purgeTimeoutMs: 0,
        log: this.#log,
      });
      await reconciler.readHeads();
    });
  }

  /** SIGKILL: what it knew is gone. */
  kill(): void {
    this.#connection.close();
    this.#reconciler[Symbol.dispose]();
  }

  headSeen(module: string): number {
    return this.#codeServer.headSeen(module);
  }

  running(module: string): Running | null {
    const described = this.#codeServer.describe()[module];
    const exports = this.#codeServer.current(module)?.exports;
    if (described === undefined || exports === undefined) return null;
    return { ...described, data: exports['data'] as Record<string, unknown> };
  }

  /** How often a module was loaded, told by the log. */
  loads(module: string): number {
    const lines = this.#log.logged.filter(({ message }) => message === 'loaded');
    return lines.filter(({ fields }) => 'module' in fields && fields.module === module).length;
  }

  /** A connection whose messages are handled as this node, also where a module asks on which one it is. */
  #inside(connection: Connection): Connection {
    const subscribe = connection.subscribe.bind(connection);
    connection.subscribe = (pattern, { callback }) =>
      subscribe(pattern, { callback: (error, message) => running.run(this.name, callback, error, message) });
    return connection;
  }
}
