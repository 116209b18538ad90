import { randomUUID } from 'node:crypto';

import { compareNodes } from '../../../../protocol/names.ts';
import type { Report } from '../../api/report.ts';
import type { CallResult, Result, ResultOf } from '../../api/results.ts';
import type { CommandBody } from '../commands.ts';
import { exitStatus, NO_RESULT } from '../exit-status.ts';
import { render } from '../render.ts';
import { atom, callText, groupedCallText, moduleText, type Style } from './answers.ts';
import { type Entry, type EntryOf, readEntry } from './entry.ts';
import { HELP } from './help.ts';

/** How long the nodes have to answer what they have in memory, and a change (milliseconds). */
const QUERY_TIMEOUT_MS = 2_000;
const CHANGE_TIMEOUT_MS = 5_000;

/** How often a shell that has used nodes says that it is still there (milliseconds). Their lease is 10 minutes. */
const RENEWAL_MS = 3 * 60_000;

/** The exit status of a shell that q(). ends. */
const DONE = 0;

export interface SessionOptions {
  /** Sends a command to the controller. */
  readonly ask: (body: CommandBody, timeoutMs: number, signal: AbortSignal) => AsyncIterable<Report>;
  readonly cookie: string;
  /** Who the history and the audit name. */
  readonly author: string;
  /** How long a call can take, milliseconds. */
  readonly timeoutMs: number;
  readonly colors: boolean;
  /** Receives what there is to show before the result. */
  readonly show: (report: Extract<Report, { readonly type: 'progress' | 'warning' }>) => void;
}

/** What a line gave. `status`: as of a command. `incomplete`: it goes on in the next line. `quit`: it ends the shell. */
export interface Outcome {
  readonly text: string;
  readonly status: number;
  readonly incomplete?: true;
  readonly quit?: true;
}

/** The controller said why there is no result. */
class Failure extends Error {
  readonly code: string;

  constructor({ code, message }: Pick<Extract<Report, { readonly type: 'failed' }>, 'code' | 'message'>) {
    super(message);
    this.code = code;
  }
}

/** A shell on one node, or on all. It has no terminal: it takes lines and gives text. */
export class Session {
  readonly #options: SessionOptions;
  #node: string | null = null;
  #lines = 1;
  readonly #id = randomUUID();
  readonly #kept = new Set<string>();
  #renewal: NodeJS.Timeout | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** The node that lines are for; null: all. */
  get node(): string | null {
    return this.#node;
  }

  /** The prompt of the next line: `(fred@dino)1> `. */
  get prompt(): string {
    return `(${this.#nameOf(this.#node ?? 'all')})${this.#lines}> `;
  }

  /** Chooses the node that lines are for: the first one, or the named one. Returns why that is not possible. */
  async start(node: string | null, signal: AbortSignal): Promise<string | null> {
    try {
      const names = await this.#nodeNames(signal);
      const first = names[0] ?? 'fred';
      this.#node = node ?? first;
      return names.includes(this.#node)
        ? null
        : `there is no node ${JSON.stringify(node)}; nodes here: ${names.join(', ')}`;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Ends the shell: the nodes release what it keeps. */
  async end(): Promise<void> {
    if (this.#renewal === null) return;
    clearInterval(this.#renewal);
    await this.#tellNodes(true);
  }

  /** The names that lines have declared. */
  get kept(): readonly string[] {
    return [...this.#kept];
  }

  /** Runs one line, or several that belong together. */
  async run(text: string, signal: AbortSignal): Promise<Outcome> {
    const read = readEntry(text);
    if (read.type === 'incomplete') return { text: '', status: DONE, incomplete: true };
    if (read.type === 'malformed') return this.#counted({ text: `** ${read.problem}`, status: NO_RESULT });
    if (read.entries.length === 0) return { text: '', status: DONE };
    let last: Outcome = { text: '', status: DONE };
    for (const entry of read.entries) {
      last = await this.#runEntry(entry, signal).catch((error: unknown) => ({
        text: `** ${messageOf(error)}`,
        status: NO_RESULT,
      }));
      if (last.status !== DONE || last.quit === true) break;
    }
    return this.#counted(last);
  }

  #counted(outcome: Outcome): Outcome {
    this.#lines += 1;
    return outcome;
  }

  async #runEntry(entry: Entry, signal: AbortSignal): Promise<Outcome> {
    switch (entry.type) {
      case 'quit':
        return { text: 'ok', status: DONE, quit: true };
      case 'help':
        return done(HELP);
      case 'cookie':
        return done(atom(this.#options.cookie));
      case 'node':
        return done(atom(this.#nameOf(this.#oneNode())));
      case 'nodes': {
        const others = (await this.#nodeNames(signal)).filter(name => name !== this.#node);
        return done(`[${others.map(name => atom(this.#nameOf(name))).join(',')}]`);
      }
      case 'node table':
        return this.#table({ type: 'nodes', wait: null }, signal);
      case 'status':
        return this.#table({ type: 'status', waitMs: 0 }, signal);
      case 'ping':
        return this.#ping(entry.node, signal);
      case 'on':
        return this.#moveTo(entry.node, signal);
      case 'compile':
        return this.#compile(entry, signal);
      case 'info':
        return this.#info(entry.module, signal);
      case 'push':
        return this.#push(entry, signal);
      case 'purge':
        return this.#purge(entry, signal);
      case 'call':
        return this.#call(entry.call, `${entry.module}:${entry.name}/${entry.arity}`, signal);
      case 'script':
        return this.#evaluate(entry.source, signal);
    }
  }

  async #ping(node: string, signal: AbortSignal): Promise<Outcome> {
    try {
      const { nodes } = await this.#ask('ping', { type: 'ping', node }, QUERY_TIMEOUT_MS, signal);
      return done(nodes[0]?.status === 'pong' ? 'pong' : 'pang');
    } catch (error) {
      // There is no such node.
      if (error instanceof Failure && error.code === 'usage') return done('pang');
      throw error;
    }
  }

  async #moveTo(node: string | null, signal: AbortSignal): Promise<Outcome> {
    const before = this.#node;
    if (node === null) this.#node = null;
    const problem = node === null ? null : await this.start(node, signal);
    if (problem === null) return done('');
    this.#node = before;
    return { text: `** ${problem}`, status: NO_RESULT };
  }

  async #compile({ module, answer }: EntryOf<'compile'>, signal: AbortSignal): Promise<Outcome> {
    const node = this.#oneNode();
    const body = { type: 'compile' as const, module, author: this.#options.author, node, check: true };
    const text = `{${answer},${atom(module)}}`;
    try {
      const result = await this.#ask('compile', body, CHANGE_TIMEOUT_MS, signal);
      const status = exitStatus(result);
      if (status !== DONE) return { text: `${render(result)}\nerror`, status };
      const [, ...warnings] = render(result).split('\n');
      return done([...warnings, text].join('\n'));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { text: `${error.message}\nerror`, status: NO_RESULT };
    }
  }

  async #push({ modules, isErlang }: EntryOf<'push'>, signal: AbortSignal): Promise<Outcome> {
    const how = { force: false, check: true, dryRun: false, canary: null };
    const body = {
      type: 'push' as const,
      modules: [...modules],
      author: this.#options.author,
      change: randomUUID(),
      ...how,
    };
    const result = await this.#askAny(body, CHANGE_TIMEOUT_MS, signal);
    const status = exitStatus(result);
    const value = status === DONE ? ['abcast'] : ['error'];
    return { text: [render(result), ...(isErlang ? value : [])].join('\n'), status };
  }

  async #purge({ module, force }: EntryOf<'purge'>, signal: AbortSignal): Promise<Outcome> {
    const { author } = this.#options;
    const on = this.#node === null ? {} : { node: this.#node };
    const result = await this.#ask('purge', { type: 'purge', module, author, force, ...on }, CHANGE_TIMEOUT_MS, signal);
    if (result.nodes.some(({ status }) => status === 'silent'))
      return { text: render(result), status: exitStatus(result) };
    const isBusy = result.nodes.some(({ status }) => status === 'busy');
    const hasFailed = result.nodes.some(row => row.status === 'purged' && (row.failedCalls ?? 0) > 0);
    // Erlang: whether a process was killed; whether nothing used old code.
    return done(String(force ? hasFailed : !isBusy));
  }

  async #info(module: string, signal: AbortSignal): Promise<Outcome> {
    const node = this.#oneNode();
    const { nodes } = await this.#ask('exports', { type: 'exports', node }, QUERY_TIMEOUT_MS, signal);
    const [answer] = nodes;
    if (answer?.status !== 'present') return { text: `** ${node} is silent`, status: 3 };
    const text = moduleText(answer, module);
    if (text !== null) return done(`${text}\nok`);
    return { text: `** exception error: undefined function ${module}:module_info/0`, status: 1 };
  }

  async #call(call: string, erlang: string | null, signal: AbortSignal): Promise<Outcome> {
    const body = { type: 'call' as const, call, node: this.#node, stack: true };
    const result = await this.#ask('call', body, this.#options.timeoutMs, signal);
    return { text: this.#callText(result.nodes, { colors: this.#options.colors, erlang }), status: exitStatus(result) };
  }

  async #evaluate(source: string, signal: AbortSignal): Promise<Outcome> {
    const { author, colors, timeoutMs } = this.#options;
    const kept = [...this.#kept];
    const body = { type: 'evaluate' as const, source, author, node: this.#node, session: this.#id, kept };
    this.#renewal ??= setInterval(() => void this.#tellNodes(false), RENEWAL_MS).unref();
    const { names, nodes } = await this.#ask('evaluate', body, timeoutMs, signal);
    for (const name of names) this.#kept.add(name);
    return {
      text: this.#callText(nodes, { colors, erlang: null }),
      status: exitStatus({ command: 'evaluate', names, nodes }),
    };
  }

  #callText(nodes: CallResult['nodes'], style: Style): string {
    const [only] = nodes;
    return this.#node === null || only === undefined ? groupedCallText(nodes, style) : callText(only, style);
  }

  /** Tells the nodes that this shell is still there, or that it has ended. */
  async #tellNodes(hasEnded: boolean): Promise<void> {
    const body = { type: 'session' as const, session: this.#id, hasEnded };
    const reports = this.#options.ask(body, QUERY_TIMEOUT_MS, AbortSignal.timeout(QUERY_TIMEOUT_MS));
    try {
      for await (const report of reports) if (report.type === 'result') return;
    } catch {
      // The nodes release what the shell keeps when its lease ends.
    }
  }

  async #table(body: CommandBody, signal: AbortSignal): Promise<Outcome> {
    return done(render(await this.#askAny(body, QUERY_TIMEOUT_MS, signal)));
  }

  async #nodeNames(signal: AbortSignal): Promise<string[]> {
    const { nodes } = await this.#ask('nodes', { type: 'nodes', wait: null }, QUERY_TIMEOUT_MS, signal);
    return nodes.flatMap(({ status, node }) => (status === 'present' ? [node] : [])).toSorted(compareNodes);
  }

  #oneNode(): string {
    if (this.#node === null) throw new Error('this is for one node: .on fred');
    return this.#node;
  }

  #nameOf(node: string): string {
    return `${node}@${this.#options.cookie}`;
  }

  async #ask<C extends Result['command']>(
    command: C,
    body: CommandBody,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ResultOf<C>> {
    const result = await this.#askAny(body, timeoutMs, signal);
    if (result.command !== command) throw new TypeError(`the controller answered ${result.command}`);
    return result as ResultOf<C>;
  }

  /** @throws Failure when there is no result. */
  async #askAny(body: CommandBody, timeoutMs: number, signal: AbortSignal): Promise<Result> {
    for await (const report of this.#options.ask(body, timeoutMs, signal)) {
      if (report.type === 'result') return report.result;
      if (report.type === 'failed') throw new Failure(report);
      if (report.type === 'progress' || report.type === 'warning') this.#options.show(report);
    }
    throw new TypeError('the reports ended without a result');
  }
}

function done(text: string): Outcome {
  return { text, status: DONE };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
