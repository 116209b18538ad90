import type { NodesResult, PushResult, StatusResult } from '../../../../types/output.d.ts';
import type { AnyModules, CallArguments, CallPath, CallValue } from './modules.ts';

export interface FleetOptions {
  /** How many nodes: fred, bambam, betty, wilma, … Default: 3. */
  readonly nodes?: number;
  /** The modules folder. The fleet gets a copy of it, which {@link Fleet.write} changes. Default: that of the plugin, else `./modules`. */
  readonly modules?: string;
  /** Environment variables of the nodes. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether type errors stop a push. Default: true. */
  readonly typeCheck?: boolean;
  /**
   * The names of the images, with `{service}` in place of `node`, `controller`, `roster` and `auth-callout`. Default:
   * `HOTCAST_TEST_IMAGES`, or the published images of this version.
   */
  readonly images?: string;
}

/** The value of a call on each node, by the names of the nodes. */
export type ValueOfEachNode<Value> = Record<string, Value>;

/** A line that a container has logged. */
export interface FleetLogLine {
  /** ISO 8601. */
  readonly time: string;
  readonly msg: string;
  readonly module?: string;
  readonly revision?: string;
  readonly err?: { readonly type: string; readonly message: string; readonly stack?: string };
}

/** A process of a node. It is another one after a restart. */
export interface NodeProcess {
  readonly node: string;
  readonly container: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** One node of a fleet. */
export interface FleetNode<Modules = AnyModules> {
  readonly name: string;
  /** Calls a function on this node. @throws what the function throws, or that the node has no such function. */
  call<Path extends CallPath<Modules>>(
    path: Path,
    ...args: CallArguments<Modules, Path>
  ): Promise<CallValue<Modules, Path>>;
  /** Kills its container with SIGKILL. It stays stopped until {@link start}. */
  kill(): Promise<void>;
  /** Starts its container again. Resolves when the node is ready. */
  start(): Promise<void>;
  /** What it has logged until now. */
  logs(): Promise<FleetLogLine[]>;
}

/** What a command has printed. */
export interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A fleet of nodes in containers, with controller and NATS, in a network of its own. Disposing of it removes all of it. */
export interface Fleet<Modules = AnyModules> extends AsyncDisposable {
  /** The name of its network; those of its containers begin with it. */
  readonly id: string;
  /** The names of the nodes. */
  readonly nodeNames: readonly string[];
  /**
   * Pushes modules to every node, together.
   *
   * @param options of `hotcast push`: `--canary=1`, `--force`, …
   * @throws Error when not every node runs the modules then. Its message is what `hotcast push` prints: for a module that does not
   *   compile, file, line and caret; for a node that refuses, its name and the reason.
   */
  push(
    modules: (keyof Modules & string) | readonly (keyof Modules & string)[],
    ...options: string[]
  ): Promise<PushResult>;
  /**
   * Calls a function on every node.
   *
   * @throws Error when it fails on a node, or a node does not answer; it names them.
   */
  call<Path extends CallPath<Modules>>(
    path: Path,
    ...args: CallArguments<Modules, Path>
  ): Promise<ValueOfEachNode<CallValue<Modules, Path>>>;
  /** @throws TypeError when there is no node with this name. */
  node(name: string): FleetNode<Modules>;
  /** What should run on each node, and what runs. */
  status(): Promise<StatusResult>;
  /** The nodes, with their modules, draining versions and memory. */
  nodes(): Promise<NodesResult['nodes']>;
  /** The process of each node: equal before and after a push, because no push restarts one. */
  processes(): Promise<NodeProcess[]>;
  /** The address of a module that serves HTTP, behind the proxy: `http://127.0.0.1:32768/web`, and `/hello` appended to it. */
  url(module: keyof Modules & string, path?: string): string;
  /** Kills the container of a node, or `controller`, `nats`, `roster`, `auth-callout` or `proxy`, with SIGKILL. */
  kill(name: string): Promise<void>;
  /** Starts a container that was killed. Resolves when it is ready. */
  start(name: string): Promise<void>;
  /**
   * Writes a file into the fleet's modules folder. `demo` is `demo.ts`. Your own folder does not change.
   *
   * @throws TypeError when the file is outside of the modules folder: only that is copied.
   */
  write(file: string, text: string): void;
  /** Rewrites a file of the fleet's modules folder. `demo` is the file of the module. @throws TypeError as {@link write} */
  edit(file: string, change: (text: string) => string): void;
  /** Runs any other command of `hotcast`: `fleet.hotcast('rollback', 'demo')`. */
  hotcast(...args: readonly string[]): Promise<CommandOutput>;
  /** What a node or another container has logged until now. */
  logs(name: string): Promise<FleetLogLine[]>;
}
