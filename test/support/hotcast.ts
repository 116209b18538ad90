import type {
  CallResult,
  CompileResult,
  HeadChangeResult,
  HistoryResult,
  NodesResult,
  PingResult,
  PushResult,
  Result,
  StatusResult,
} from '../../controller/src/api/results.ts';
import type { Ended } from './shell.ts';

/** A command that reached its result. */
export interface Answered<R extends Result> extends Ended {
  readonly result: R;
}

/** The commands of `hotcast`, with their results. */
export abstract class Hotcast {
  /** Runs `hotcast …` to its end. */
  abstract hotcast(...args: readonly string[]): Promise<Ended>;

  /** Pushes one module; gives the revision that it was compiled to beside the result. */
  async push(module: string, ...options: string[]): Promise<Answered<PushResult> & { readonly revision: string }> {
    const answered = await this.#ask<PushResult>('push', module, ...options);
    const [pushed] = answered.result.modules;
    if (pushed?.module !== module) throw new TypeError(`${module} is not what was pushed`);
    return { ...answered, revision: pushed.revision };
  }

  async compile(module: string, node: string, ...options: string[]): Promise<Answered<CompileResult>> {
    return this.#ask<CompileResult>('compile', module, '--node', node, ...options);
  }

  async call(call: string, ...options: string[]): Promise<Answered<CallResult>> {
    return this.#ask<CallResult>('call', call, ...options);
  }

  async ping(...args: string[]): Promise<Answered<PingResult>> {
    return this.#ask<PingResult>('ping', ...args);
  }

  async nodes(...options: string[]): Promise<NodesResult['nodes']> {
    return (await this.#ask<NodesResult>('nodes', ...options)).result.nodes;
  }

  /** Pushes modules together. */
  async pushTogether(modules: readonly string[], ...options: string[]): Promise<Answered<PushResult>> {
    return this.#ask<PushResult>('push', ...modules, ...options);
  }

  /** Writes a module's next head without a bundle. */
  async change(
    command: HeadChangeResult['command'],
    module: string,
    ...options: readonly string[]
  ): Promise<Answered<HeadChangeResult>> {
    return this.#ask<HeadChangeResult>(command, module, ...options);
  }

  async status(): Promise<Answered<StatusResult>> {
    return this.#ask<StatusResult>('status');
  }

  /** The kept heads of a module with what came of each, newest first. */
  async history(module: string): Promise<HistoryResult['heads']> {
    return (await this.#ask<HistoryResult>('history', module)).result.heads;
  }

  /** What every node runs: the revision by node and module; null for a silent node. */
  async revisions(): Promise<Record<string, Record<string, string> | null>> {
    const rows = (await this.nodes()).map(node => {
      if (node.status === 'silent') return [node.node, null];
      const modules = Object.entries(node.modules).map(([module, { revision }]) => [module, revision]);
      return [node.node, Object.fromEntries(modules)];
    });
    return Object.fromEntries(rows) as Record<string, Record<string, string> | null>;
  }

  async #ask<R extends Result>(...args: readonly string[]): Promise<Answered<R>> {
    const ended = await this.hotcast(...args, '--json');
    if (ended.exitCode === 2) throw new Error(`hotcast ${args.join(' ')} failed: ${ended.stderr}`);
    return { ...ended, result: JSON.parse(ended.stdout) as R };
  }
}
