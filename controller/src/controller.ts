import * as v from 'valibot';

import { decode, encode } from '../../protocol/codec.ts';
import { UnavailableError, UsageError } from '../../protocol/errors.ts';
import { callAnswer, loadAnswer, malformedAnswer, nodeDescription, pingAnswer } from '../../protocol/messages.ts';
import { compareNodes } from '../../protocol/names.ts';
import type { Verb } from '../../protocol/subjects.ts';
import { parseCall } from './call-text.ts';
import { compile } from './compile.ts';
import type { Expected } from './fleet.ts';
import { gather, type Timed } from './gather.ts';
import { type LoadReply, namesOf, outcomesOf, push, type PushParts } from './push.ts';
import type { CallResult, Command, CompileResult, NodesResult, PingResult, Report, Result } from './results.ts';

type Say = (report: Report) => void;

/** How often `nodes --wait` looks again (milliseconds). */
const WAIT_STEP = 100;

const callReply = v.variant('status', [callAnswer, malformedAnswer]);
const loadReply = v.variant('status', [loadAnswer, malformedAnswer]);

/** Carries out the commands of the command line. */
export class Controller {
  readonly #parts: PushParts;
  readonly #cookie: string;

  constructor(parts: PushParts, cookie: string) {
    this.#parts = parts;
    this.#cookie = cookie;
  }

  /**
   * Runs one command.
   *
   * @throws UsageError, CompileError and UnavailableError when nothing was sent.
   */
  async run(command: Command, say: Say): Promise<Result> {
    if (command.cookie !== null && command.cookie !== this.#cookie) {
      throw new UsageError(
        `this controller does not have the cookie ${JSON.stringify(command.cookie)}; nothing was sent`,
      );
    }
    switch (command.type) {
      case 'push':
        return push(this.#parts, command, say);
      case 'compile':
        return this.#compile(command.module, command.node, command.patience, say);
      case 'call':
        return this.#call(command.call, command.node, command.patience, say);
      case 'ping':
        return this.#ping(command.node, command.patience, say);
      case 'nodes':
        if (command.wait !== null) await this.#waitForNodes(command.wait, command.patience, say);
        return this.#nodes(command.patience);
      default: {
        const check: never = command;
        return check;
      }
    }
  }

  async #compile(module: string, node: string, patience: number, say: Say): Promise<CompileResult> {
    const [expected, { bundle, packed }] = await Promise.all([
      this.#parts.fleet.expected(),
      compile(this.#parts.modulesDir, module),
    ]);
    const names = this.#named(expected, node, say);
    const answers = await gather<LoadReply>(this.#parts.nats, {
      ask: inbox => this.#parts.nats.publish(this.#parts.subjects.node(node, 'load'), packed, { reply: inbox }),
      decode: bytes => decode(loadReply, bytes),
      expected: names,
      patience,
    });
    return { command: 'compile', module, revision: bundle.revision, nodes: outcomesOf(answers, names, 0) };
  }

  async #call(text: string, node: string | null, patience: number, say: Say): Promise<CallResult> {
    const names = this.#named(await this.#parts.fleet.expected(), node, say);
    const request = parseCall(text);
    const answers = await this.#ask('call', node, names, patience, callReply, request);
    const nodes = each(names, answers, answer =>
      answer.status === 'malformed'
        ? {
            status: 'error' as const,
            node: answer.node,
            failure: 'exception' as const,
            type: 'malformed',
            message: answer.detail,
            output: [],
          }
        : answer,
    );
    return { command: 'call', call: text, single: node !== null, nodes };
  }

  async #ping(node: string | null, patience: number, say: Say): Promise<PingResult> {
    const names = this.#named(await this.#parts.fleet.expected(), node, say);
    const answers = await this.#ask('ping', node, names, patience, pingAnswer);
    return {
      command: 'ping',
      nodes: each(names, answers, (answer, ms) => ({ node: answer.node, status: 'pong' as const, ms })),
    };
  }

  async #nodes(patience: number): Promise<NodesResult> {
    const { members } = await this.#parts.fleet.expected();
    const names = new Set(members.map(member => member.node));
    const answers = await this.#ask('describe', null, names, patience, nodeDescription);
    const containers = new Map(members.map(member => [member.node, member.container]));
    const nodes = each(names, answers, answer => ({ ...answer, status: 'present' as const }));
    return {
      command: 'nodes',
      nodes: nodes.map(node =>
        node.status === 'silent' ? { ...node, container: containers.get(node.node) ?? '' } : node,
      ),
    };
  }

  async #waitForNodes(wanted: number, patience: number, say: Say): Promise<void> {
    const deadline = performance.now() + patience;
    let present = 0;
    while (performance.now() < deadline) {
      present = (await this.#nodes(1_000)).nodes.filter(({ status }) => status === 'present').length;
      say({ type: 'progress', phase: 'waiting for nodes', answered: present, expected: wanted });
      if (present >= wanted) return;
      await new Promise(resolve => setTimeout(resolve, WAIT_STEP));
    }
    throw new UnavailableError(`only ${present} of ${wanted} nodes came up in time (see: make logs)`);
  }

  async #ask<TSchema extends v.GenericSchema<unknown, { readonly node: string }>>(
    verb: Verb,
    node: string | null,
    names: ReadonlySet<string>,
    patience: number,
    schema: TSchema,
    request: object = {},
  ): Promise<Map<string, Timed<v.InferOutput<TSchema>>>> {
    const { nats, subjects } = this.#parts;
    const subject = node === null ? subjects.all(verb) : subjects.node(node, verb);
    return gather<v.InferOutput<TSchema>>(nats, {
      ask: inbox => nats.publish(subject, encode(request), { reply: inbox }),
      decode: bytes => decode(schema, bytes),
      expected: names,
      patience,
    });
  }

  /** The names of who should answer: all, or the one that was named. @throws UsageError when it is not there. */
  #named(expected: Expected, node: string | null, say: Say): Set<string> {
    const names = namesOf(expected, say);
    if (node === null) return names;
    if (!names.has(node)) {
      const known = [...names].toSorted(compareNodes).join(', ');
      throw new UsageError(`there is no node ${JSON.stringify(node)}; nodes here: ${known}`);
    }
    return new Set([node]);
  }
}

/** One row a node, in the order of the replicas: its answer, or that it was silent. */
function each<A extends { readonly node: string }, R extends { readonly node: string }>(
  names: ReadonlySet<string>,
  answers: ReadonlyMap<string, Timed<A>>,
  row: (answer: A, ms: number) => R,
): (R | { node: string; status: 'silent' })[] {
  const silent = [...names].filter(node => !answers.has(node)).map(node => ({ node, status: 'silent' as const }));
  const answered = [...answers.values()].map(({ answer, ms }) => row(answer, ms));
  return [...answered, ...silent].toSorted((a, b) => compareNodes(a.node, b.node));
}
