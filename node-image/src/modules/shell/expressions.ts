import { createHash } from 'node:crypto';
import { Script } from 'node:vm';

import { type Bundle, packMap } from '../../../../protocol/bundle.ts';
import { MAX_VALUE_BYTES } from '../../../../protocol/limits.ts';
import type { CallAnswer } from '../../../../protocol/messages.ts';
import { EXPRESSIONS } from '../../../../protocol/names.ts';
import type { EvaluateRequest, SessionRequest } from '../../../../protocol/shell-messages.ts';
import { encodeValue } from '../../../../protocol/values/encode.ts';
import { TimeoutError, withTimeout } from '../../../../shared/timeout.ts';
import type { Readiness } from '../../packages/packages.ts';
import type { CodeServer } from '../code-server.ts';
import { collectStream, isStream } from '../collect-stream.ts';
import { UndefError } from '../hot-imports.ts';
import type { Version } from '../version.ts';

/** How long an expression can hold the event loop until its first await (milliseconds): less than the watchdog allows. */
const BLOCK_TIMEOUT_MS = 1_000;

/** Nobody has heard of a shell for so long: it has ended (milliseconds). Shells that are there say so more often. */
const LEASE_MS = 10 * 60_000;

/** The largest number of shells whose values are kept. The one that was silent for the longest time makes room. */
const MAX_SESSIONS = 32;

type Kept = Record<string, unknown>;
/** Fetches the packages of a bundle that the node lacks, and evaluates them. */
export type ReadyPackages = (bundle: Bundle) => Promise<Readiness>;

type Run = (kept: Kept) => Promise<unknown>;

interface Session {
  readonly kept: Kept;
  readonly lease: NodeJS.Timeout;
}

/** V8 ends a script that takes too long, with all that it has called. This one calls what is to be bounded. */
const nothing = (): unknown => undefined;
let pending = nothing;
const RUN = Symbol.for('hotcast.expression');
const CALL = new Script(`globalThis[Symbol.for('hotcast.expression')]()`);
Object.defineProperty(globalThis, RUN, { value: () => pending() });

/** Runs expressions of shells: code that is in no head, no slot and no stream, and ends with its value. */
export class Expressions {
  readonly #codeServer: CodeServer;
  readonly #readyPackages: ReadyPackages;
  readonly #sessions = new Map<string, Session>();

  constructor(codeServer: CodeServer, readyPackages: ReadyPackages) {
    this.#codeServer = codeServer;
    this.#readyPackages = readyPackages;
  }

  /** The number of shells whose values are kept. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Keeps the values of a shell for longer, or releases them. */
  renew({ session, hasEnded }: SessionRequest): void {
    const known = this.#sessions.get(session);
    if (hasEnded) this.#release(session);
    else if (known !== undefined) this.#keep(session, known);
  }

  /**
   * Runs an expression with what its shell keeps, and waits for its value. What it has opened ends then, as that of a version
   * does.
   */
  async evaluate(node: string, request: EvaluateRequest): Promise<CallAnswer> {
    const { session, timeoutMs, id } = request;
    const { errors } = this.#codeServer;
    const output: string[] = [];
    const failed = (failure: 'undef' | 'exception' | 'badvalue', type: string, message: string) =>
      ({ status: 'error', node, failure, type, message, output }) satisfies CallAnswer;
    const kept = this.#keptOf(session);
    let version: Version | null = null;
    try {
      const bundle = bundleOf(request);
      const ready = await this.#readyPackages(bundle);
      if (ready.status === 'failed') return failed('exception', ready.reason, ready.detail);
      const running = this.#codeServer.evaluateAlone(bundle, ready.set);
      version = running;
      const { revision, lifetime } = running;
      const { signal } = lifetime;
      const call = this.#codeServer.beginCall(running, null, 'expression');
      try {
        const value = this.#codeServer.run(running, { lines: output, id }, async () => {
          const returned = await bounded(running.exports['run'] as Run, kept);
          if (isStream(returned)) return collectStream(returned, signal, errors.printers);
          return encodeValue(returned, MAX_VALUE_BYTES, errors.printers);
        });
        const result = await withTimeout(timeoutMs, value);
        if (!result.ok) return failed('badvalue', 'badvalue', result.detail);
        const json = result.json === undefined ? {} : { json: result.json };
        return { status: 'value', node, revision, output, ...json };
      } finally {
        this.#codeServer.endCall(call, false);
      }
    } catch (error) {
      if (error instanceof TimeoutError) return failed('exception', 'timeout', `no value within ${timeoutMs} ms`);
      if (isBlockTimeout(error)) return failed('exception', 'timeout', `it held the node for ${BLOCK_TIMEOUT_MS} ms`);
      if (error instanceof UndefError) return failed('undef', 'undef', `${error.message} on node ${node}`);
      return { ...failed('exception', '', ''), ...errors.describe(error) };
    } finally {
      if (version !== null) this.#codeServer.endAlone(version);
    }
  }

  #keptOf(session: string): Kept {
    const known = this.#sessions.get(session);
    if (known !== undefined) {
      this.#keep(session, known);
      return known.kept;
    }
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= MAX_SESSIONS) this.#release(oldest);
    const lease = setTimeout(() => this.#release(session), LEASE_MS).unref();
    const kept = Object.create(null) as Kept;
    this.#sessions.set(session, { kept, lease });
    return kept;
  }

  /** The last one that was heard of is the last in the map. */
  #keep(id: string, session: Session): void {
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    session.lease.refresh();
  }

  #release(session: string): void {
    clearTimeout(this.#sessions.get(session)?.lease);
    this.#sessions.delete(session);
  }
}

function bundleOf({ code, packages }: Pick<EvaluateRequest, 'code' | 'packages'>): Bundle {
  const revision = createHash('sha256').update(code).digest('hex');
  const info = { module: EXPRESSIONS, revision, file: 'shell', exports: ['run'], live: [], memoryBytes: 0 };
  return {
    ...info,
    ...(packages === undefined ? {} : { packages }),
    code,
    map: packMap('{"version":3,"sources":[],"names":[],"mappings":""}'),
  };
}

/** Runs a function, and ends it when it holds the event loop for too long before its first await. */
function bounded(run: Run, kept: Kept): Promise<unknown> {
  pending = () => run(kept);
  try {
    return CALL.runInThisContext({ timeout: BLOCK_TIMEOUT_MS }) as Promise<unknown>;
  } finally {
    pending = nothing;
  }
}

function isBlockTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
