import { setImmediate as turn } from 'node:timers/promises';

import { vi } from 'vitest';

import { parseScope } from '../../controller/src/commands/canary-option.ts';
import { loadReply } from '../../controller/src/rollout/node-outcomes.ts';
import { decode } from '../../protocol/codec.ts';
import type { Head } from '../../protocol/head.ts';
import { purgeRequest } from '../../protocol/messages.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { headsIn } from '../unit/fixtures.ts';
import { ControllerProcess, modulesOf, type Order, type OrderOutcome } from './controller-process.ts';
import { type CallKind, LongCall } from './long-call.ts';
import { Model } from './model.ts';
import { type Connection, type Message, Network } from './network.ts';
import { NodeProcess } from './node-process.ts';
import { countSlowTimers } from './slow-timers.ts';
import { definitely, type Source } from './source.ts';
import { Stream } from './stream.ts';

/** A timer of so many milliseconds is slow. */
const SLOW_MS = 1_000;

/** A node could not load what heads ask for, and a controller heard it say so. */
interface Refusal {
  readonly node: NodeProcess;
  readonly hearer: Connection;
  readonly heads: readonly Head[];
}

/** Nodes and controllers around one stream, the model beside them, and a clock that a test moves. */
export class Cluster {
  readonly network = new Network();
  readonly stream = new Stream();
  readonly model = new Model();
  readonly nodes = new Map<string, NodeProcess>();
  /** The calls that run, on nodes that were not killed since. */
  calls: readonly LongCall[] = [];
  readonly refusals: Refusal[] = [];
  /** What broke a law where an exception would be taken for something else. */
  readonly faults: string[] = [];
  readonly #subjects = subjectsOf('dino');
  readonly #controllers: ControllerProcess[] = [];
  readonly #sources = new Map<string, Source>();
  /** Every head that a commit tells, by the inbox for the answers. */
  readonly #commits = new Map<string, readonly Head[]>();
  /** Counts timers for retries. Only {@link pass} lets their time come. */
  readonly #slowTimers: () => number;
  readonly #ticks: { readonly tick: () => void; readonly period: number }[] = [];
  /** What is checked whenever nothing moves. */
  readonly #check: (cluster: Cluster) => void;

  constructor(check: (cluster: Cluster) => void) {
    this.#check = check;
    this.network.onHeard = (hearer, message) => this.#hear(hearer, message);
    // Node's own setImmediate is left: between two of its turns everything that can happen without time has happened.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_700_000_000_000 });
    this.#slowTimers = countSlowTimers(SLOW_MS);
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    vi.spyOn(globalThis, 'setInterval').mockImplementation((tick, period = 0) => {
      this.#ticks.push({ tick, period });
      return undefined as unknown as NodeJS.Timeout;
    });
  }

  [Symbol.dispose](): void {
    vi.restoreAllMocks();
    vi.useRealTimers();
  }

  /** Processes that stopped in the midst of something. */
  get stopped(): ControllerProcess[] {
    return this.#controllers.filter(({ isStopped }) => isStopped);
  }

  /** Has a node start, for the first time or again. */
  async start(name: string): Promise<void> {
    this.nodes.get(name)?.kill();
    this.calls = this.calls.filter(({ node }) => node !== name);
    const sourceOf = (revision: string): Source => definitely(this.#sources.get(revision));
    const { network, stream } = this;
    this.nodes.set(name, new NodeProcess(name, { network, stream, subjects: this.#subjects, sourceOf }));
    await this.runToIdle();
  }

  /** Calls a function that waits. */
  async call(node: string, module: string, kind: CallKind): Promise<void> {
    this.calls = [...this.calls, new LongCall(definitely(this.nodes.get(node)), module, kind)];
    await this.runToIdle();
  }

  async endCall(call: LongCall): Promise<void> {
    this.calls = this.calls.filter(each => each !== call);
    await call.end(() => this.runToIdle());
  }

  /** Has a controller purge a module on every node; the answer of each, as soon as none is waited for. */
  async purge(module: string, force: boolean) {
    const rows = this.#controller(Infinity).purge(module, force);
    await this.runToIdle();
    return rows;
  }

  /** Has controllers carry out orders at the same time; each stops after so many steps, or its client has gone then. */
  async carryOut(orders: readonly Order[], steps = Infinity, clientSteps = Infinity): Promise<(OrderOutcome | null)[]> {
    for (const order of orders) this.#learn(order);
    const controllers = orders.map(() => this.#controller(steps));
    for (const controller of controllers) controller.clientSteps = clientSteps;
    controllers.forEach((controller, index) => void controller.carryOut(definitely(orders[index])));
    await this.runToIdle();
    return controllers.map(({ outcome }) => outcome);
  }

  /** Has a controller start that keeps the fleet on its heads; it may stop while it finishes what was left undone. */
  async startReconciler(steps = Infinity): Promise<void> {
    const controller = this.#controller(steps);
    controller.start();
    await this.runToIdle();
    if (!controller.isStopped) controller.goOn();
  }

  /** Has the controllers do what they do from time to time. */
  async tick(period: number): Promise<void> {
    for (const each of this.#ticks.filter(tick => tick.period === period).slice(-2)) each.tick();
    await this.runToIdle();
  }

  /** Lets happen what can, until nothing moves but what a test has to move. */
  async runToIdle(): Promise<void> {
    for (;;) {
      await turn();
      this.#check(this);
      if (vi.getTimerCount() <= this.#slowTimers()) return;
      vi.advanceTimersToNextTimer();
    }
  }

  /** Lets time pass, and everything happen that is due. */
  async pass(time: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(time);
    await this.runToIdle();
  }

  /** The modules whose heads an order writes when nothing disturbs it. */
  writes(order: Order): string[] {
    return modulesOf(order).filter(module => !this.#isUnchanged(order, module));
  }

  /** A revision's source; null for none. */
  sourceOf(revision: string | null): Source | null {
    return revision === null ? null : definitely(this.#sources.get(revision));
  }

  /** What a node has to load of a set; it keeps what it runs. */
  #changed(node: NodeProcess, set: ReadonlyMap<string, string | null>): Source[] {
    return [...set].flatMap(([module, revision]) =>
      revision === null || this.runsByModel(node, module, revision) ? [] : [definitely(this.#sources.get(revision))],
    );
  }

  /** Whether a node can't load a set now, because one of it can't be evaluated. */
  wouldThrow(node: NodeProcess, set: ReadonlyMap<string, string | null>): boolean {
    return node.model.cannotEvaluate(this.#changed(node, set));
  }

  /** Whether a node can't load a set now, because too many versions drain. */
  isFull(node: NodeProcess, set: ReadonlyMap<string, string | null>): boolean {
    return this.#changed(node, set).some(({ bundle }) => node.model.isFull(bundle.module));
  }

  /** Whether a node runs a revision with data that was not cleared since. */
  runsByModel(node: NodeProcess, module: string, revision: string | null): boolean {
    const running = node.running(module);
    if (running === null) return revision === null;
    return running.revision === revision && running.sequence >= (this.model.newest(module)?.stateSince ?? 0);
  }

  /** Whether a revision can throw on a node, for whatever reason. */
  canThrow(revision: string, node: string): boolean {
    const { throwsOn, needs } = definitely(this.#sources.get(revision));
    return throwsOn.includes(node) || needs.length > 0;
  }

  /** What comes of an order that nothing disturbs; null when that depends on what a node reads of the stream just now. */
  foresee(order: Order): OrderOutcome | null {
    this.#learn(order);
    const changed = this.writes(order);
    if (changed.length === 0) return 'unchanged';
    const wishes = changed.map(module => ({ module, wish: this.model.wish(order, module) }));
    if (wishes.some(({ wish }) => wish === null)) return 'unusable';
    // A node that can't load what was there before stays behind.
    if (order.type === 'end canary') return 'rolled-back';
    const heard = [...this.nodes.keys()].filter(name => this.network.answers(name));
    if (order.type === 'push' && heard.length === 0) return 'unanswered';
    if (order.type === 'push' && this.#isRefused(order, changed, heard)) return 'refused';
    const scope =
      order.type === 'push' && order.canary !== null ? parseScope(order.canary, [...this.nodes.keys()]) : null;
    const desiredBy = (name: string): Map<string, string | null> => {
      const desired = wishes.map(({ module, wish }): [string, string | null] => {
        const { revision, trial } = definitely(wish);
        const canary =
          trial === null || scope === null ? null : { revision: trial, manifest: null, scope, maxErrors: 0 };
        return [module, this.model.desired({ revision, canary }, name)];
      });
      return new Map(desired);
    };
    const refusing = heard.filter(name => this.wouldThrow(definitely(this.nodes.get(name)), desiredBy(name)));
    if (refusing.length === 0) return 'committed';
    // A node that reads the stream can wait for what it is about to load.
    const canLoad = (name: string): boolean =>
      this.network.isReading(name) || this.#canCompleteCircle(name, desiredBy(name));
    return refusing.every(canLoad) ? null : 'reverted';
  }

  /** Whether a node can load a set together with heads of earlier pushes that it has refused. */
  #canCompleteCircle(name: string, set: ReadonlyMap<string, string | null>): boolean {
    const node = definitely(this.nodes.get(name));
    const refused = this.stream
      .heads()
      .filter(({ module }) => !set.has(module) && node.model.get(module).refusal !== null)
      .map((head): [string, string | null] => [head.module, this.model.desired(head, name)]);
    const someOf: (typeof refused)[] = [[]];
    for (const each of refused) someOf.push(...someOf.map(some => [...some, each]));
    return someOf.some(some => some.length > 0 && !this.wouldThrow(node, new Map([...set, ...some])));
  }

  /** Whether a node refuses a push before anything changes. */
  #isRefused(order: Order & { readonly type: 'push' }, changed: readonly string[], heard: readonly string[]): boolean {
    if (order.sources.some(({ isBroken }) => isBroken)) return true;
    const models = heard.map(name => definitely(this.nodes.get(name)).model);
    return order.force !== true && models.some(model => changed.some(module => model.refusesPush(module)));
  }

  /** Whether a push has nothing to do for a module: its finished head says so, and every node that answers runs it. */
  #isUnchanged(order: Order, module: string): boolean {
    if (order.type !== 'push' || order.force === true) return false;
    const newest = this.model.newest(module);
    const wanted = order.sources.find(({ bundle }) => bundle.module === module)?.bundle.revision;
    if (newest === null || newest.trial !== null || newest.revision !== wanted) return false;
    const isFinished = this.stream
      .headResults()
      .some(result => result.module === module && result.sequence === newest.sequence);
    const answering = [...this.nodes.values()].filter(({ name }) => this.network.answers(name));
    return isFinished && answering.every(node => this.runsByModel(node, module, wanted));
  }

  #learn(order: Order): void {
    if (order.type !== 'push') return;
    for (const source of order.sources) this.#sources.set(source.bundle.revision, source);
  }

  #controller(steps: number): ControllerProcess {
    const environment = {
      network: this.network,
      stream: this.stream,
      subjects: this.#subjects,
      nodeNames: () => [...this.nodes.keys()],
      onWrite: (writer: ControllerProcess, heads: readonly Head[]) => {
        for (const head of heads) {
          if (writer.order === null && !this.#hasRefused(writer, head.module)) {
            this.faults.push(`${head.module} is pointed back though no node refused its head`);
          }
          this.faults.push(...this.model.write(head, writer));
        }
      },
      onFault: (fault: unknown) => this.faults.push(String(fault)),
    };
    const controller = new ControllerProcess(environment, steps);
    this.#controllers.push(controller);
    return controller;
  }

  /** Whether a node told a controller that it can't load the newest head of a module. */
  #hasRefused({ connection }: ControllerProcess, module: string): boolean {
    const newest = this.model.newest(module);
    return this.refusals.some(
      ({ hearer, heads }) =>
        hearer === connection && heads.some(head => head.module === module && head.sequence === newest?.sequence),
    );
  }

  #hear(hearer: Connection, message: Message): void {
    if (message.subject === this.#subjects.all('purge')) {
      const { module, force } = decode(purgeRequest, message.data);
      if (force) this.nodes.get(hearer.node ?? '')?.model.purge(module);
    }
    if (message.subject === this.#subjects.all('commit')) {
      this.#commits.set(definitely(message.reply), headsIn(this.#subjects, message.data));
    }
    const heads = this.#commits.get(message.subject.slice(0, message.subject.lastIndexOf('.')));
    if (heads === undefined) return;
    const reply = decode(loadReply, message.data);
    if (reply.status !== 'refused' || reply.reason === 'outdated') return;
    this.refusals.push({ node: definitely(this.nodes.get(reply.node)), hearer, heads });
  }
}
