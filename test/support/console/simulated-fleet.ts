import { connect, type NatsConnection } from '@nats-io/transport-node';

import { type Audit, openAudit } from '../../../controller/src/store/audit.ts';
import { openStore, type StreamStore } from '../../../controller/src/store/stream-store.ts';
import { type Bundle, encodeBundle, packMap } from '../../../protocol/bundle.ts';
import { decode, encode } from '../../../protocol/codec.ts';
import type { ErrorsAnswer, LogMessage } from '../../../protocol/logs.ts';
import { errorsRequest } from '../../../protocol/logs.ts';
import type { Head } from '../../../protocol/head.ts';
import type { NodeDescription, RosterAnswer } from '../../../protocol/messages.ts';
import { replicaName } from '../../../protocol/names.ts';
import type { Progress } from '../../../protocol/history/progress.ts';
import { mapHashOf, revisionOf } from '../../../protocol/revision.ts';
import { type Subjects, subjectsOf } from '../../../protocol/subjects.ts';
import { PROTOCOL } from '../../../protocol/version.ts';
import type { ClusterKeys } from '../../../packages/testing/src/fleet/cluster-keys.ts';
import type { NatsServer } from './nats-server.ts';

type Running = NodeDescription['modules'][string];

/** Who says what, and why, in a simulated change. */
export interface Said {
  readonly author: string;
  readonly message?: string;
  readonly git?: { readonly commit: string; readonly dirty: boolean };
}

const MB = 2 ** 20;

const STREAM_BYTES = 64 * MB;

/**
 * A fleet that says on NATS what a real one says: nodes, a controller and the roster, without containers. Its records are written
 * and signed by the controller's own code.
 */
export class SimulatedFleet implements AsyncDisposable {
  readonly cookie: string;
  readonly subjects: Subjects;
  readonly nodes = new Map<string, NodeDescription>();
  /** The containers that the roster names; null: the roster does not answer. */
  roster: 'by nodes' | null = 'by nodes';
  readonly stopped = new Map<string, string>();
  readonly errors = new Map<string, ErrorsAnswer>();
  /** What the versions of nodes have open. */
  readonly owned = new Map<string, NonNullable<NodeDescription['owned']>>();
  isControllerUp = true;
  readonly #nats: NatsConnection;
  readonly #store: StreamStore;
  readonly #audit: Audit;
  readonly #timers: NodeJS.Timeout[] = [];

  private constructor(cookie: string, nats: NatsConnection, store: StreamStore, audit: Audit) {
    this.cookie = cookie;
    this.subjects = subjectsOf(cookie);
    this.#nats = nats;
    this.#store = store;
    this.#audit = audit;
    nats.subscribe(this.subjects.roster, {
      callback: (_, message) => void message.respond(encode(this.#rosterAnswer())),
    });
    nats.subscribe(this.subjects.node('*', 'errors'), {
      callback: (_, { subject, data, reply = '' }) => {
        const node = subject.split('.').at(-2) ?? '';
        const { module } = decode(errorsRequest, data);
        const answer = this.errors.get(`${node}/${module}`) ?? { node, revisions: [] };
        nats.publish(`${reply}.${node}`, encode(answer));
      },
    });
    nats.subscribe(this.subjects.node('*', 'describe'), {
      callback: (_, { subject, reply = '' }) => {
        const node = subject.split('.').at(-2) ?? '';
        const description = this.nodes.get(node);
        if (description === undefined) return;
        nats.publish(`${reply}.${node}`, encode({ ...description, owned: this.owned.get(node) ?? {} }));
      },
    });
    this.#timers.push(
      setInterval(() => {
        if (this.isControllerUp) nats.publish(this.subjects.all('digest'), encode({ protocol: PROTOCOL, heads: {} }));
      }, 2_000),
    );
  }

  static async start(server: NatsServer, keys: ClusterKeys, cookie: string): Promise<SimulatedFleet> {
    const nats = await connect({
      servers: server.url,
      authenticator: keys.tester,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
    });
    const subjects = subjectsOf(cookie);
    const store = await openStore(nats, { cookie, subjects, keyring: keys.keyring(cookie), maxBytes: STREAM_BYTES });
    const audit = await openAudit(nats, cookie, subjects, '');
    const fleet = new SimulatedFleet(cookie, nats, store, audit);
    nats.publish(subjects.all('digest'), encode({ protocol: PROTOCOL, heads: {} }));
    return fleet;
  }

  /** Adds so many nodes, which run nothing. */
  async add(count: number): Promise<void> {
    const now = Date.now();
    const first = this.nodes.size + 1;
    for (let replica = first; replica < first + count; replica += 1) {
      const node = replicaName(replica);
      this.nodes.set(node, {
        node,
        protocol: PROTOCOL,
        container: replica.toString(16).padStart(12, '0'),
        version: '0.3.0',
        pid: 7,
        startedAt: now - 7_200_000,
        uptimeSeconds: 7_200,
        clock: now,
        memoryBytes: Math.round((58 + (replica % 7) * 2.3) * MB),
        modules: {},
        draining: [],
        refusals: {},
        loopDelay: 2 + (replica % 5),
        rejected: 0,
      });
    }
    await this.beat();
  }

  /** Changes what a node says of itself. */
  change(node: string, change: (description: NodeDescription) => Partial<NodeDescription>): void {
    const description = this.nodes.get(node);
    if (description !== undefined) this.nodes.set(node, { ...description, ...change(description) });
  }

  /** Has nodes send a heartbeat: all, if none are named. */
  async beat(nodes: Iterable<string> = this.nodes.keys()): Promise<void> {
    for (const node of nodes) this.say(node, 'heartbeat');
    await this.#nats.flush();
  }

  /** Has all nodes but these send heartbeats from now on. */
  beatOn(except: ReadonlySet<string> = new Set(), intervalMs = 1_000): void {
    this.#timers.push(
      setInterval(
        () => void this.beat([...this.nodes.keys()].filter(node => !except.has(node))).catch(() => undefined),
        intervalMs,
      ),
    );
  }

  say(node: string, kind: 'heartbeat' | 'goodbye' | 'stalled'): void {
    const description = this.nodes.get(node);
    if (description !== undefined) this.#nats.publish(this.subjects.event(node, kind), encode(description));
  }

  log(message: LogMessage): void {
    this.#nats.publish(this.subjects.log(message.node), encode(message));
  }

  /** Has calls end on all nodes: so many, of which so many failed. */
  call(module: string, calls: number, errors = 0, nodes: Iterable<string> = this.nodes.keys()): void {
    for (const node of nodes)
      this.change(node, ({ modules }) => {
        const running = modules[module];
        return running === undefined
          ? {}
          : {
              modules: {
                ...modules,
                [module]: { ...running, calls: running.calls + calls, errors: running.errors + errors },
              },
            };
      });
  }

  /** Has requests end on all nodes, so many on each. */
  request(module: string, requests: number): void {
    this.call(module, requests);
    for (const node of this.nodes.keys())
      this.change(node, ({ modules }) => {
        const running = modules[module];
        const total = (running?.requests ?? 0) + requests;
        return running === undefined ? {} : { modules: { ...modules, [module]: { ...running, requests: total } } };
      });
  }

  progress(progress: Progress): void {
    this.#nats.publish(this.subjects.progress, encode(progress));
  }

  /** Stores the bundle of a source. @returns its revision */
  async store(module: string, source: string): Promise<string> {
    const map = JSON.stringify({
      version: 3,
      sources: [`modules/${module}.ts`],
      sourcesContent: [source],
      mappings: '',
    });
    const mapHash = mapHashOf(map);
    const bundle: Bundle = {
      module,
      revision: revisionOf(source, mapHash),
      mapHash,
      file: `modules/${module}.ts`,
      exports: [],
      live: [],
      memoryBytes: 0,
      code: source,
      map: packMap(map),
    };
    await this.#store.putBundle(bundle, encodeBundle(bundle));
    return bundle.revision;
  }

  /** Writes a head as the controller does. @returns it */
  async writeHead(module: string, revision: string | null, more: Partial<Head> = {}): Promise<Head> {
    const { head: last, position } = await this.#store.lastHead(module);
    const head: Head = {
      module,
      revision,
      manifest: null,
      canary: null,
      force: false,
      makeRoom: false,
      sequence: (last?.sequence ?? 0) + 1,
      stateSince: 0,
      push: crypto.randomUUID(),
      revertOf: null,
      cause: null,
      keptOff: [],
      quarantine: false,
      repeats: false,
      author: 'wilma',
      at: Date.now(),
      note: 'push',
      ...more,
    };
    await this.#store.writeHeads([{ head, position }]);
    return head;
  }

  /** Has nodes run a head's revision. */
  load(
    { module, revision, sequence }: Pick<Head, 'module' | 'revision' | 'sequence'>,
    nodes: Iterable<string> = this.nodes.keys(),
  ): void {
    for (const node of nodes)
      this.change(node, ({ modules }) => {
        const { [module]: _, ...others } = modules;
        const running: Running | null =
          revision === null ? null : { revision, sequence, calls: 0, errors: 0, inFlight: 0 };
        return { modules: running === null ? others : { ...others, [module]: running } };
      });
  }

  /** A push that every node loads, all at once. */
  async push(module: string, source: string, { author, ...why }: Said = { author: 'wilma' }): Promise<Head> {
    const head = await this.writeHead(module, await this.store(module, source), { author, ...why });
    this.load(head);
    await this.audit(head, { author, ...why }, 'push', 'committed', `${this.nodes.size} loaded`);
    return head;
  }

  async audit(
    head: Pick<Head, 'push' | 'module' | 'revision'>,
    { author, ...why }: Said,
    command: string,
    outcome: string,
    detail: string,
  ): Promise<void> {
    const modules = [{ module: head.module, revision: head.revision }];
    await this.#audit.write({ at: Date.now(), change: head.push, author, command, modules, outcome, detail, ...why });
  }

  /** Fills the stream to 97 %. */
  async fill(): Promise<void> {
    const parts = 16;
    for (let part = 0; part < parts; part += 1) {
      const subject = this.subjects.archiveChunk('f'.repeat(64), part);
      await this.#nats.request(subject, new Uint8Array((0.97 * STREAM_BYTES) / parts));
    }
  }

  flush(): Promise<void> {
    return this.#nats.flush();
  }

  #rosterAnswer(): RosterAnswer {
    if (this.roster === null) return { status: 'unavailable', detail: 'the Docker engine does not answer' };
    const containers = [...this.nodes.values()].map(({ node, container }, index) => ({
      id: container,
      name: `hotcast-node-${index + 1}`,
      state: this.stopped.get(node) ?? 'running',
    }));
    return { status: 'containers', protocol: PROTOCOL, containers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timers.forEach(clearInterval);
    await this.#nats.close();
  }
}
