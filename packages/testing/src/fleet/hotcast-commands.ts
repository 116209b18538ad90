import type {
  CallResult,
  HeadChangeResult,
  NodesResult,
  PushResult,
  Result,
  ResultOf,
} from '../../../../controller/src/api/results.ts';
import type { Output } from '../../../../controller/src/api/output.ts';

/** The exit code and the output of a process. */
export interface ProcessOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The output of a command and its parsed result. */
export interface CommandResult<R extends Result> extends ProcessOutput {
  readonly result: R;
}

/** The `hotcast` commands with their results. */
export abstract class HotcastCommands {
  /** Runs `hotcast …` to its end. */
  abstract hotcast(...args: readonly string[]): Promise<ProcessOutput>;

  /** Pushes one module. Returns its revision beside the result. */
  async push(module: string, ...options: string[]): Promise<CommandResult<PushResult> & { readonly revision: string }> {
    const output = await this.#run<PushResult>('push', module, ...options);
    const [pushed] = output.result.modules;
    if (pushed?.module !== module) throw new TypeError(`${module} is not what was pushed`);
    return { ...output, revision: pushed.revision };
  }

  async compile(module: string, node: string, ...options: string[]): Promise<CommandResult<ResultOf<'compile'>>> {
    return this.#run<ResultOf<'compile'>>('compile', module, '--node', node, ...options);
  }

  async call(call: string, ...options: string[]): Promise<CommandResult<CallResult>> {
    return this.#run<CallResult>('call', call, ...options);
  }

  async ping(...args: string[]): Promise<CommandResult<ResultOf<'ping'>>> {
    return this.#run<ResultOf<'ping'>>('ping', ...args);
  }

  async nodes(...options: string[]): Promise<NodesResult['nodes']> {
    return (await this.#run<NodesResult>('nodes', ...options)).result.nodes;
  }

  /** Pushes modules together. */
  async pushTogether(modules: readonly string[], ...options: string[]): Promise<CommandResult<PushResult>> {
    return this.#run<PushResult>('push', ...modules, ...options);
  }

  /** Writes the next head of a module without a bundle. */
  async change(
    command: HeadChangeResult['command'],
    module: string,
    ...options: readonly string[]
  ): Promise<CommandResult<HeadChangeResult>> {
    return this.#run<HeadChangeResult>(command, module, ...options);
  }

  async status(): Promise<CommandResult<ResultOf<'status'>>> {
    return this.#run<ResultOf<'status'>>('status');
  }

  /** The stored heads of a module with their results, newest first. */
  async history(module: string): Promise<ResultOf<'history'>['heads']> {
    return (await this.#run<ResultOf<'history'>>('history', module)).result.heads;
  }

  /** The running revisions by node and module. Null for a silent node. */
  async revisions(): Promise<Record<string, Record<string, string> | null>> {
    const rows = (await this.nodes()).map(node => {
      if (node.status === 'silent') return [node.node, null];
      const modules = Object.entries(node.modules).map(([module, { revision }]) => [module, revision]);
      return [node.node, Object.fromEntries(modules)];
    });
    return Object.fromEntries(rows) as Record<string, Record<string, string> | null>;
  }

  /** Reads a line that `hotcast … --json` has printed. */
  protected read(line: string): Output {
    return JSON.parse(line) as Output;
  }

  async #run<R extends Result>(...args: readonly string[]): Promise<CommandResult<R>> {
    const output = await this.hotcast(...args, '--json');
    if (output.exitCode === 2) throw new Error(`hotcast ${args.join(' ')} failed: ${output.stderr}`);
    return { ...output, result: this.read(output.stdout) as R };
  }
}
