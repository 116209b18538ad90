import { AsyncLocalStorage } from 'node:async_hooks';

import { handleRequests } from '../../node-image/src/cluster/request-handlers.ts';
import { createReconciler, type Reconciler } from '../../node-image/src/cluster/reconciler.ts';
import { call } from '../../node-image/src/modules/invoke.ts';
import type { CallAnswer, CallRequest, NodeDescription } from '../../protocol/messages.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import { verifierOf, recordingLog } from '../unit/fixtures.ts';
import { ModelledCodeServer } from './modelled-code-server.ts';
import type { Connection, Network } from './network.ts';
import { NodeModel } from './node-model.ts';
import type { Source } from './source.ts';
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

interface Surroundings {
  readonly network: Network;
  readonly stream: Stream;
  readonly subjects: Subjects;
  readonly sourceOf: (revision: string) => Source;
}

/** One life of a node: the real one from its messages inwards, over a network and a stream in memory. */
export class NodeProcess {
  readonly name: string;
  readonly model: NodeModel;
  readonly #codeServer: ModelledCodeServer;
  readonly #connection: Connection;
  readonly #reconciler: Reconciler;
  readonly #log = recordingLog();

  constructor(name: string, { network, stream, subjects, sourceOf }: Surroundings) {
    this.name = name;
    this.model = new NodeModel(name, sourceOf);
    this.#codeServer = new ModelledCodeServer(this.#log, this.model);
    this.#connection = network.connect(name);
    const verifier = verifierOf(subjects);
    const reconciler = (this.#reconciler = createReconciler(
      name,
      this.#codeServer,
      recordsOf(name, stream, network, verifier),
      this.#log,
    ));
    void running.run(name, async () => {
      await handleRequests({
        nats: this.#inside(this.#connection).nats,
        subjects,
        readyPackages: async () => ({ status: 'ready', set: null }),
        identity: { name, container: name },
        verifier,
        codeServer: this.#codeServer,
        packages: { has: () => true },
        prepare: bundle => this.#codeServer.prepare(bundle),
        reconciler,
        records: { unreadable: () => new Map(), keys: async () => undefined },
        heartbeat: { setInterval: () => undefined },
        loopDelay: { max: 0, reset: () => undefined },
        purgeTimeoutMs: 0,
        log: this.#log,
      });
      await reconciler.start();
    });
  }

  /** SIGKILL: what it knew is gone. */
  kill(): void {
    this.#connection.close();
    this.#reconciler[Symbol.dispose]();
  }

  /** What it says of itself. */
  describe(): Pick<NodeDescription, 'modules' | 'draining' | 'refusals'> {
    const server = this.#codeServer;
    return { modules: server.describe(), draining: server.describeDraining(), refusals: server.refusals() };
  }

  /** Whether it needs to read nothing of the stream to load a revision. */
  isPrepared(module: string, revision: string): boolean {
    return this.#codeServer.isPrepared(module, revision);
  }

  /** Calls a function of a module that it runs. */
  call(request: CallRequest): Promise<CallAnswer> {
    return running.run(this.name, () => call(this.#codeServer, this.name, request));
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
