import type { Version } from './version.ts';

/** A call that started on a version and has not ended. */
export interface Call {
  readonly version: Version;
  /** The replaced versions of other modules that the call can be in through hot imports. */
  readonly imported: Set<Version>;
  /** Rejects with a {@link PurgedError} when the version is purged before the call ends. */
  readonly purged: Promise<never>;
  /** Makes {@link purged} reject. */
  readonly fail: () => void;
}

/** The error of a call whose version was purged by force. */
export class PurgedError extends Error {
  override readonly name = 'purged';
}

/** The running calls of one node. {@link Version.calls} is the number of calls that can be in a version's code. */
export class Calls {
  readonly #calls = new Set<Call>();

  get size(): number {
    return this.#calls.size;
  }

  begin(version: Version): Call {
    let fail = (): void => undefined;
    const purged = new Promise<never>((_, reject) => {
      fail = () => reject(new PurgedError(`${version.module} was purged while the call ran on its old version`));
    });
    // Nobody waits for this promise after the call has ended.
    purged.catch(() => undefined);
    const call = { version, imported: new Set<Version>(), purged, fail };
    version.calls += 1;
    this.#calls.add(call);
    return call;
  }

  /** Ends a call; returns the versions that it was counted for. */
  end(call: Call): Version[] {
    this.#calls.delete(call);
    const versions = [call.version, ...call.imported];
    for (const version of versions) version.calls -= 1;
    return versions;
  }

  /** Makes the calls that started on a purged version fail, because what they wait for can stay away for ever. */
  failOn(version: Version): void {
    if (version.calls === 0) return;
    for (const call of this.#calls) if (call.version === version) call.fail();
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

function imports(from: Version, module: string, importsOf: (module: string) => Iterable<string>): boolean {
  const seen = new Set(from.imports);
  // The iteration of a set includes the elements that are added during it.
  for (const name of seen) for (const next of importsOf(name)) seen.add(next);
  return seen.has(module);
}
