import { removeRecent } from '../../../shared/remove-recent.ts';
import type { Version } from './version.ts';

/** What started a call: an HTTP method and its path, or a function's name without a method. */
export interface Origin {
  readonly method: string | null;
  readonly target: string;
}

/** The error of a call whose version ended before it: it was purged by force, or the node stopped. */
export class PurgedError extends Error {
  override readonly name = 'purged';
}

/** Is told when the version is purged before its call ends. */
export interface PurgeListener {
  purged(error: PurgedError): void;
}

/** A call that started on a version and has not ended. What only some calls need is made when it is asked for. */
export class Call implements Origin {
  readonly version: Version;
  readonly method: string | null;
  readonly target: string;
  /** When it started, by `performance.now`; 0 when nobody wants to know. */
  startedAt = 0;
  /** Whether the function has returned: what runs now is the sending of its response or stream. */
  hasReturned = false;
  listener: PurgeListener | null = null;
  #imported: Set<Version> | null = null;
  #onReturned: (() => void)[] | null = null;
  #purged: Promise<never> | null = null;
  #failure: PurgedError | null = null;

  constructor(version: Version, method: string | null, target: string) {
    this.version = version;
    this.method = method;
    this.target = target;
  }

  /** The replaced versions of other modules that the call can be in through hot imports. */
  get imported(): Set<Version> {
    return (this.#imported ??= new Set());
  }

  get importsReplaced(): boolean {
    return this.#imported !== null && this.#imported.size > 0;
  }

  /** Rejects with a {@link PurgedError} when the version is purged before the call ends. */
  get purged(): Promise<never> {
    if (this.#purged !== null) return this.#purged;
    this.#purged = new Promise((_, reject) => {
      if (this.#failure === null) this.listener = { purged: reject };
      else reject(this.#failure);
    });
    // Nobody waits for this promise after the call has ended.
    this.#purged.catch(() => undefined);
    return this.#purged;
  }

  /** Makes the call fail. @param why completes the sentence that begins with the name of the module. */
  fail(why: string): void {
    this.#failure = new PurgedError(`${this.version.module} ${why}`);
    this.listener?.purged(this.#failure);
  }

  /** Calls `callback` when the function has returned. */
  onReturned(callback: () => void): void {
    (this.#onReturned ??= []).push(callback);
  }

  /** See {@link Calls.returned}. */
  returned(): void {
    this.hasReturned = true;
    if (this.#onReturned === null) return;
    for (const callback of this.#onReturned.splice(0)) callback();
  }
}

/** The maximum length of a call's name: a path can be long. */
const MAX_NAME_LENGTH = 80;

const NONE: readonly Version[] = [];

/** The running calls of one node. {@link Version.calls} is the number of calls that can be in a version's code. */
export class Calls {
  /** The oldest first. */
  readonly #calls: Call[] = [];

  get size(): number {
    return this.#calls.length;
  }

  /** @param method of an HTTP request, whose path is the target; null: the target is the name of a function. */
  begin(version: Version, method: string | null, target: string): Call {
    const call = new Call(version, method, target);
    version.calls += 1;
    this.#calls.push(call);
    return call;
  }

  /** Notes that the function of a call has returned, and the call goes on with its response or stream. */
  returned(call: Call): void {
    call.returned();
  }

  /** The calls of modules whose functions have not returned, the oldest first. Earlier versions count: they can have the same data. */
  runningOn(modules: ReadonlySet<string>): Call[] {
    return this.#calls.filter(({ version, hasReturned }) => !hasReturned && modules.has(version.module));
  }

  /** Ends a call; returns the versions that it was counted for and that drain. */
  end(call: Call): readonly Version[] {
    removeRecent(this.#calls, call);
    call.returned();
    call.version.calls -= 1;
    if (!call.importsReplaced) return call.version.drainingSince === null ? NONE : [call.version];
    for (const version of call.imported) version.calls -= 1;
    return [call.version, ...call.imported].filter(({ drainingSince }) => drainingSince !== null);
  }

  /**
   * Makes the calls that started on a version which ends fail, because what they wait for can stay away for ever. Calls of
   * other modules are not counted for it any more.
   *
   * @param why see {@link Call.fail}.
   * @returns the versions that a call which fails is not counted for any more.
   */
  release(version: Version, why: string): Version[] {
    if (version.calls === 0) return [];
    const released: Version[] = [];
    // What fails can end at once.
    for (const call of this.#calls.filter(each => each.version === version || each.importsReplaced)) {
      if (call.importsReplaced && call.imported.delete(version)) version.calls -= 1;
      if (call.version !== version) continue;
      call.fail(why);
      if (!call.importsReplaced) continue;
      for (const imported of call.imported) imported.calls -= 1;
      released.push(...call.imported);
      call.imported.clear();
    }
    return released;
  }

  /** The name of the call that holds a version for the longest time, see {@link nameOf}; null for none. */
  oldestOn(version: Version): string | null {
    for (const call of this.#calls) {
      if (call.version === version || (call.importsReplaced && call.imported.has(version))) return nameOf(call);
    }
    return null;
  }

  /**
   * Counts a replaced version as used by every running call that started on a module which imports it, directly or through
   * other modules: the call can be in its code. So a hot call itself costs nothing (the model is RCU's grace period).
   */
  countImporters(replaced: Version, importsOf: (module: string) => Iterable<string>): void {
    for (const call of this.#calls) {
      if (call.version === replaced || call.imported.has(replaced)) continue;
      if (!imports(call.version, replaced.module, importsOf)) continue;
      call.imported.add(replaced);
      replaced.calls += 1;
    }
  }
}

/**
 * The name of a call: `demo.add`, `GET /demo/events`. The query of a path is left out, because it can hold what nobody else
 * should read.
 */
export function nameOf({ method, target, version }: Pick<Call, 'method' | 'target' | 'version'>): string {
  const [path = ''] = target.split('?');
  const name = (method === null ? `${version.module}.${target}` : `${method} ${path}`).replaceAll(/[^ -~]/g, '·');
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
}

function imports(from: Version, module: string, importsOf: (module: string) => Iterable<string>): boolean {
  const seen = new Set(from.imports);
  // The iteration of a set includes the elements that are added during it.
  for (const name of seen) for (const next of importsOf(name)) seen.add(next);
  return seen.has(module);
}
