import { randomUUID } from 'node:crypto';

import { compareNodes } from '../../../../protocol/names.ts';
import type { CallResult, Result } from '../../api/results.ts';
import type { CommandBody } from '../definition/command-body.ts';
import { exitStatus, NO_RESULT } from '../exit-status.ts';
import { render } from '../render/render.ts';
import { withColors } from '../style.ts';
import { atom, callText, groupedCallText, moduleText, type Style } from './answers.ts';
import { type Ask, Asking, Failure, QUERY_TIMEOUT_MS } from './asking.ts';
import { type Changer, compile, purge, push } from './changes.ts';
import { type Entry, readEntry } from './entry.ts';
import { HELP } from './help.ts';
import { DONE, done, type Outcome } from './outcome.ts';
import { PrintedLines } from './printed-lines.ts';

/** How often a shell that has used nodes says that it is still there (milliseconds). Their lease is 10 minutes. */
const RENEWAL_MS = 3 * 60_000;

export interface SessionOptions {
  readonly ask: Ask;
  readonly cookie: string;
  /** Who the history and the audit name. */
  readonly author: string;
  /** How long a call can take, milliseconds. */
  readonly timeoutMs: number;
  readonly colors: boolean;
  /** Receives what there is to show before the result. */
  readonly show: ConstructorParameters<typeof Asking>[1];
  /** Is told for which node lines are, when that changes; null: all. */
  readonly onNode?: (node: string | null) => void;
}

/** A shell on one node, or on all. It has no terminal: it takes lines and gives text. */
export class Session {
  readonly #options: SessionOptions;
  readonly #asking: Asking;
  /** What modules print while nobody waits for it, and with an answer. */
  readonly printed = new PrintedLines();
  #node: string | null = null;
  #lines = 1;
  readonly #id = randomUUID();
  readonly #kept = new Set<string>();
  #renewal: NodeJS.Timeout | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#asking = new Asking(options.ask, options.show);
  }

  /** The node that lines are for; null: all. */
  get node(): string | null {
    return this.#node;
  }

  /** The prompt of the next line: `(fred@dino)1> `. */
  get prompt(): string {
    return `(${this.#nameOf(this.#node ?? 'all')})${this.#lines}> `;
  }

  /** Chooses the node that lines are for: the first one, of a group if it is given, or the named one. Returns why that is not possible. */
  async start(node: string | null, signal: AbortSignal, group?: string): Promise<string | null> {
    try {
      const names = await this.#nodeNames(signal, group);
      const first = names[0] ?? 'fred';
      const chosen = node ?? first;
      if (!names.includes(chosen)) return `there is no node ${JSON.stringify(node)}; nodes here: ${names.join(', ')}`;
      this.#moveTo(chosen);
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  /** Ends the shell: the nodes release what it keeps. */
  async end(): Promise<void> {
    if (this.#renewal === null) return;
    clearInterval(this.#renewal);
    await this.#asking.tell({ type: 'session', session: this.#id, hasEnded: true });
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
      case 'logs':
        return done(`what modules print is ${this.printed.toggle() ? '' : 'not '}shown as it happens`);
      case 'ping':
        return this.#ping(entry.node, signal);
      case 'on':
        return this.#on(entry.node, signal);
      case 'compile':
        return compile(this.#changer, entry, this.#oneNode(), signal);
      case 'info':
        return this.#info(entry.module, signal);
      case 'push':
        return push(this.#changer, entry, signal);
      case 'purge':
        return purge(this.#changer, entry, this.#node, signal);
      case 'call':
        return this.#call(entry.call, `${entry.module}:${entry.name}/${entry.arity}`, signal);
      case 'script':
        return this.#evaluate(entry.source, signal);
    }
  }

  async #ping(node: string, signal: AbortSignal): Promise<Outcome> {
    try {
      const { nodes } = await this.#asking.for('ping', { type: 'ping', node }, QUERY_TIMEOUT_MS, signal);
      return done(nodes[0]?.status === 'pong' ? 'pong' : 'pang');
    } catch (error) {
      // There is no such node.
      if (error instanceof Failure && error.code === 'usage') return done('pang');
      throw error;
    }
  }

  async #on(node: string | null, signal: AbortSignal): Promise<Outcome> {
    if (node === null) this.#moveTo(null);
    const problem = node === null ? null : await this.start(node, signal);
    return problem === null ? done('') : { text: `** ${problem}`, status: NO_RESULT };
  }

  #moveTo(node: string | null): void {
    this.#node = node;
    this.#options.onNode?.(node);
  }

  async #info(module: string, signal: AbortSignal): Promise<Outcome> {
    const node = this.#oneNode();
    const { nodes } = await this.#asking.for('exports', { type: 'exports', node }, QUERY_TIMEOUT_MS, signal);
    const [answer] = nodes;
    if (answer?.status !== 'present') return { text: `** ${node} is silent`, status: 3 };
    const text = moduleText(answer, module);
    if (text !== null) return done(`${text}\nok`);
    return { text: `** exception error: undefined function ${module}:module_info/0`, status: 1 };
  }

  async #call(call: string, erlang: string | null, signal: AbortSignal): Promise<Outcome> {
    const { timeoutMs, colors } = this.#options;
    const id = this.#begin();
    const body = { type: 'call' as const, call, node: this.#node, stack: true, id };
    const result = await this.#asking.for('call', body, timeoutMs, signal);
    return { text: this.#callText(id, result.nodes, { colors, erlang }), status: exitStatus(result) };
  }

  async #evaluate(source: string, signal: AbortSignal): Promise<Outcome> {
    const { author, colors, timeoutMs } = this.#options;
    const id = this.#begin();
    const line = { source, author, node: this.#node, session: this.#id, kept: [...this.#kept], id };
    const renewal = { type: 'session' as const, session: this.#id, hasEnded: false };
    this.#renewal ??= setInterval(() => void this.#asking.tell(renewal), RENEWAL_MS).unref();
    const result = await this.#asking.for('evaluate', { type: 'evaluate', ...line }, timeoutMs, signal);
    for (const name of result.names) this.#kept.add(name);
    return { text: this.#callText(id, result.nodes, { colors, erlang: null }), status: exitStatus(result) };
  }

  /** The id of a call that begins. */
  #begin(): string {
    const id = randomUUID();
    this.printed.begin(id);
    return id;
  }

  #callText(id: string, nodes: CallResult['nodes'], style: Style): string {
    const rows = this.printed.answered(id, nodes);
    const [only] = rows;
    return this.#node === null || only === undefined ? groupedCallText(rows, style) : callText(only, style);
  }

  #render(result: Result): string {
    return withColors(this.#options.colors, () => render(result));
  }

  async #table(body: CommandBody, signal: AbortSignal): Promise<Outcome> {
    return done(this.#render(await this.#asking.any(body, QUERY_TIMEOUT_MS, signal)));
  }

  async #nodeNames(signal: AbortSignal, group?: string): Promise<string[]> {
    const body = { type: 'nodes' as const, wait: null, ...(group === undefined ? {} : { group }) };
    const { nodes } = await this.#asking.for('nodes', body, QUERY_TIMEOUT_MS, signal);
    return nodes.flatMap(({ status, node }) => (status === 'present' ? [node] : [])).toSorted(compareNodes);
  }

  #oneNode(): string {
    if (this.#node === null) throw new Error('this is for one node: .on fred');
    return this.#node;
  }

  #nameOf(node: string): string {
    return `${node}@${this.#options.cookie}`;
  }

  get #changer(): Changer {
    return { asking: this.#asking, author: this.#options.author, render: result => this.#render(result) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
