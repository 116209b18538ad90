import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

import { moduleEntry } from '../../../../controller/src/build/module-entry.ts';
import type { CallResult, Result } from '../../../../controller/src/api/results.ts';
import { render } from '../../../../controller/src/cli/render/render.ts';
import { decodeValue } from '../../../../protocol/values/decode.ts';
import type { NodesResult, PushResult, StatusResult } from '../../../../types/output.d.ts';
import type {
  CommandOutput,
  Fleet,
  FleetLogLine,
  FleetNode,
  FleetOptions,
  NodeProcess,
  ValueOfEachNode,
} from '../api/fleet.ts';
import type { AnyModules } from '../api/modules.ts';
import { callError } from '../call-error.ts';
import { projectOf } from '../project-folder.ts';
import { modulesDirOfTest } from '../test-file.ts';
import { checkAvailable } from '../docker/available.ts';
import { PROXY_IMAGE } from '../docker/haproxy.ts';
import { startReaper } from '../docker/reaper.ts';
import { NATS_IMAGE } from './container-specs.ts';
import { lastLogs, printIfTestFails, textsOfFile } from './failed-test.ts';
import { imagesOf } from './images.ts';
import { literal } from './literal.ts';
import { RunningCluster } from './running-cluster.ts';

/** How long the proxy takes at most to find the nodes (milliseconds). */
const PROXY_TIMEOUT_MS = 20_000;

const NO_IMAGE =
  'build the images or pull them from your registry, and name them with HOTCAST_IMAGES (`mirror.example.org/hotcast`), ' +
  'NATS_IMAGE and PROXY_IMAGE';

/** See {@link Fleet}. */
class RunningFleet implements Fleet {
  readonly #cluster: RunningCluster;
  readonly #proxy: string;
  readonly #typeCheck: boolean;
  /** The logs for a test that fails, read when the fleet ends. */
  #lastLogs: string | null = null;
  #isTest = false;
  readonly #logsForTest = async (): Promise<string> => this.#lastLogs ?? (await this.#logs());

  constructor(cluster: RunningCluster, proxy: string, typeCheck: boolean) {
    this.#cluster = cluster;
    this.#proxy = proxy;
    this.#typeCheck = typeCheck;
  }

  get id(): string {
    return this.#cluster.id;
  }

  get nodeNames(): readonly string[] {
    return this.#cluster.nodeNames;
  }

  async push(modules: string | readonly string[], ...options: string[]): Promise<PushResult> {
    const names = typeof modules === 'string' ? [modules] : modules;
    const check = this.#typeCheck ? [] : ['--no-check'];
    const { result: pushed, exitCode } = await this.#run('push', ...names, ...check, ...options);
    const result = pushed as PushResult;
    if (exitCode !== 0) throw Object.assign(new Error(render(result as Result, true)), { result });
    return result;
  }

  async call(path: string, ...args: readonly unknown[]): Promise<ValueOfEachNode<unknown>> {
    const nodes = await this.#call(path, args);
    const errors = nodes.flatMap(each => (each.status === 'value' ? [] : [errorOf(each, path)]));
    const [error] = errors;
    if (error !== undefined && errors.length === 1) throw error;
    if (errors.length > 1) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'));
    return Object.fromEntries(nodes.map(each => [each.node, valueOf(each)]));
  }

  node(name: string): FleetNode {
    if (!this.nodeNames.includes(name))
      throw new TypeError(`no node ${name}: the nodes are ${this.nodeNames.join(', ')}`);
    return {
      name,
      call: async (path: string, ...args: readonly unknown[]) => {
        const [answer] = await this.#call(path, args, '--node', name);
        if (answer === undefined) throw new TypeError(`${path} was not called`);
        if (answer.status !== 'value') throw errorOf(answer, path);
        return valueOf(answer);
      },
      kill: async () => this.kill(name),
      start: async () => this.start(name),
      logs: async () => this.logs(name),
    };
  }

  async status(): Promise<StatusResult> {
    return (await this.#run('status')).result as StatusResult;
  }

  async nodes(): Promise<NodesResult['nodes']> {
    return ((await this.#run('nodes')).result as NodesResult).nodes;
  }

  async processes(): Promise<NodeProcess[]> {
    return (await this.nodes()).flatMap(each => {
      if (each.status === 'silent') return [];
      const { node, container, pid, startedAt } = each;
      return [{ node, container, pid, startedAt }];
    });
  }

  url(module: string, path = ''): string {
    return `http://${this.#proxy}/${module}${path}`;
  }

  async kill(name: string): Promise<void> {
    await this.#cluster.kill(name);
  }

  async start(name: string): Promise<void> {
    await this.#cluster.restore([name]);
  }

  write(file: string, text: string): void {
    if (/\.\w+$/.test(file)) this.#cluster.writeFile(file, text);
    else this.#cluster.writeModule(file, text);
  }

  edit(file: string, change: (text: string) => string): void {
    const folder = this.#cluster.modulesDir;
    const path = /\.\w+$/.test(file) ? file : relative(folder, moduleEntry(folder, file));
    const text = this.#cluster.readFile(path);
    const changed = change(text);
    if (changed === text) throw new TypeError(`the edit of ${file} changes nothing`);
    this.#cluster.writeFile(path, changed);
  }

  async hotcast(...args: readonly string[]): Promise<CommandOutput> {
    return this.#cluster.hotcast(...args);
  }

  async logs(name: string): Promise<FleetLogLine[]> {
    return this.#cluster.logsOf(name);
  }

  /** Has the logs of all containers printed with the test that runs now, if it fails. */
  async watchTest(): Promise<void> {
    this.#isTest = await printIfTestFails(this.#logsForTest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    textsOfFile().delete(this.#logsForTest);
    // vitest knows only afterwards whether the test has failed.
    if (this.#isTest) this.#lastLogs = await this.#logs();
    await this.#cluster[Symbol.asyncDispose]();
  }

  async #logs(): Promise<string> {
    return `the logs of ${this.id}:\n${await lastLogs(this.#cluster)}`;
  }

  async #call(path: string, args: readonly unknown[], ...options: string[]): Promise<CallResult['nodes']> {
    const text = `${path}(${args.map(literal).join(', ')})`;
    return ((await this.#run('call', text, ...options)).result as CallResult).nodes;
  }

  /** @throws Error with what the command has printed, if it has no result. */
  async #run(...args: readonly string[]): Promise<{ readonly result: object; readonly exitCode: number }> {
    const { exitCode, stdout, stderr } = await this.#cluster.hotcast(...args, '--json');
    const result = JSON.parse(stdout.split('\n')[0] || '{ "failed": {} }') as { failed?: object };
    if (result.failed !== undefined) throw new Error(stderr.trim().replace(/^hotcast: /, ''));
    return { result, exitCode };
  }
}

type Answer = CallResult['nodes'][number];

function valueOf(answer: Answer): unknown {
  return answer.status === 'value' ? decodeValue(answer.json) : undefined;
}

function errorOf(answer: Exclude<Answer, { status: 'value' }>, path: string): Error {
  const { node } = answer;
  if (answer.status === 'silent')
    return new Error(`${node} does not answer ${path}: ${answer.detail ?? 'no answer in time'}`);
  const error = callError(answer, { path, node });
  error.message = `${path} on ${node}: ${error.message}`;
  return error;
}

/** See the function of the same name in ../start-fleet.ts, which loads this file. */
export async function startFleet<Modules = AnyModules>(options: FleetOptions = {}): Promise<Fleet<Modules>> {
  const { nodes = 3, modules = modulesDirOfTest(), environment = {}, typeCheck = true } = options;
  const folder = resolve(modules);
  if (!existsSync(folder)) throw new TypeError(`there is no modules folder ${folder}`);
  const images = imagesOf(options.images, process.env);
  const own = (['node', 'controller', 'roster', 'auth-callout'] as const).map(images);
  await checkAvailable([...own, NATS_IMAGE, PROXY_IMAGE], NO_IMAGE);
  await startReaper();
  const source = { folder, project: projectOf(folder), packages: join(folder, 'node_modules') };
  const cluster = new RunningCluster({ nodes, images, modules: source, node: environment });
  await cluster.start();
  try {
    const proxy = await cluster.addProxy();
    const fleet = new RunningFleet(cluster, proxy, typeCheck);
    await untilServed(proxy);
    await fleet.watchTest();
    return fleet as unknown as Fleet<Modules>;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

/** Resolves when the proxy has found a node. Until then it answers with 503; while it starts, the engine ends connections. */
async function untilServed(proxy: string): Promise<void> {
  const deadline = performance.now() + PROXY_TIMEOUT_MS;
  for (;;) {
    const answer = fetch(`http://${proxy}/`, { signal: AbortSignal.timeout(PROXY_TIMEOUT_MS) });
    const status = await answer.then(
      async response => {
        await response.body?.cancel();
        return response.status;
      },
      () => null,
    );
    if (status !== null && status !== 503) return;
    if (performance.now() > deadline) throw new Error(`the proxy finds no node within ${PROXY_TIMEOUT_MS / 1000} s`);
    await new Promise(done => setTimeout(done, 100));
  }
}
