import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';

import type { CallAnswer } from '../../protocol/messages.ts';
import type { ModelCall, ModelVersion, NodeModel } from './node-model.ts';
import { letGoOn, type Seen } from './source.ts';

/** How a call waits: in the function, in the stream that it returns, or in the code of a module that it imports. */
export const CALL_KINDS = ['call', 'stream', 'callInside'] as const;

export interface CallKind {
  readonly function: (typeof CALL_KINDS)[number];
  /** The module in whose code it waits. */
  readonly inside: string;
}

let calls = 0;

/** A call that runs until a test ends it, with what the model says of it. */
export class LongCall {
  readonly node: string;
  readonly #model: NodeModel;
  readonly #call: ModelCall;
  readonly #kind: CallKind;
  /** The version in whose code it waits. */
  readonly #inside: ModelVersion;
  readonly #id: string;
  #answer: CallAnswer | null = null;

  constructor(
    node: { readonly name: string; readonly model: NodeModel; readonly call: Caller },
    module: string,
    kind: CallKind,
  ) {
    this.node = node.name;
    this.#model = node.model;
    this.#kind = kind;
    calls += 1;
    this.#id = String(calls);
    this.#call = node.model.begin(module);
    this.#inside = node.model.get(kind.inside).current ?? this.#call.version;
    void node
      .call({ module, function: kind.function, args: [this.#id, kind.inside] })
      .then(answer => (this.#answer = answer));
  }

  get isPurged(): boolean {
    return this.#call.isPurged;
  }

  /** Says what is wrong with it while it runs. */
  fault(): string | null {
    const answer = this.#answer;
    const name = `a call of ${this.#call.version.source.bundle.module} on ${this.node}`;
    if (!this.isPurged) return answer === null ? null : `${name} ends too early: ${JSON.stringify(answer)}`;
    const isPurged = answer?.status === 'error' && answer.type === 'purged';
    return isPurged ? null : `${name} does not end with its version: ${JSON.stringify(answer)}`;
  }

  /** Ends it. `runToIdle` lets happen what can. @throws when its value is not that of the versions that it ran on */
  async end(runToIdle: () => Promise<void>): Promise<void> {
    const { source } = this.#inside;
    const imports = source.imports.map(module => [module, this.#model.get(module).current?.source.label ?? null]);
    const seen: Seen = {
      label: source.label,
      isOpen: !this.#inside.isClosed,
      imports: Object.fromEntries(imports) as Seen['imports'],
    };
    letGoOn(this.#id);
    this.#model.end(this.#call);
    await runToIdle();
    const answer = this.#answer;
    const actual = answer?.status === 'value' ? (JSON.parse(answer.json ?? 'null') as unknown) : answer;
    const expected = this.#kind.function === 'stream' ? [source.label, seen] : seen;
    const { revision } = this.#call.version.source.bundle;
    if (isDeepStrictEqual(actual, expected) && answer?.status === 'value' && answer.revision === revision) return;
    throw new AssertionError({ message: 'a call ends on what it ran on', actual, expected });
  }
}

type Caller = (request: { module: string; function: string; args: unknown[] }) => Promise<CallAnswer>;
