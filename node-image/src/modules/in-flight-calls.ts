import type { Version } from './version.ts';

/** A call that began on a version and has not ended. */
export interface Call {
  readonly version: Version;
  /** Versions of other modules that were replaced meanwhile, and that it may be in by its hot imports. */
  readonly held: Set<Version>;
  /** Rejected with a {@link PurgedError} when the version is purged before the call has ended. */
  readonly purged: Promise<never>;
}

/** A call whose version was purged under it, by force. */
export class PurgedError extends Error {
  override readonly name = 'purged';
}

interface Pending extends Call {
  readonly abandon: () => void;
}

/** The calls in flight on one node. {@link Version.calls} counts those that may be running in a version's code. */
export class Calls {
  readonly #calls = new Set<Pending>();

  get size(): number {
    return this.#calls.size;
  }

  begin(version: Version): Call {
    let abandon = (): void => undefined;
    const purged = new Promise<never>((_, reject) => {
      abandon = () => reject(new PurgedError(`${version.module} was purged while the call ran on its old version`));
    });
    // A call that has ended does not look any more.
    purged.catch(() => undefined);
    const call = { version, held: new Set<Version>(), purged, abandon };
    version.calls += 1;
    this.#calls.add(call);
    return call;
  }

  /** Has the calls that began on a version fail: what they wait for may never come. */
  abandon(version: Version): void {
    if (version.calls === 0) return;
    for (const call of this.#calls) if (call.version === version) call.abandon();
  }

  /** Gives the versions that it was in, or may have been. */
  end(call: Call): Version[] {
    this.#calls.delete(call as Pending);
    const versions = [call.version, ...call.held];
    for (const version of versions) version.calls -= 1;
    return versions;
  }

  /**
   * A version is replaced: calls that began on modules which import it, on their own account or by others, may be in it,
   * and it is busy until they have ended. (So a hot call costs nothing; RCU's grace period is the model.)
   */
  hold(replaced: Version, importsOf: (module: string) => Iterable<string>): void {
    for (const call of this.#calls) {
      if (call.version === replaced || call.held.has(replaced)) continue;
      if (!reaches(call.version, replaced.module, importsOf)) continue;
      call.held.add(replaced);
      replaced.calls += 1;
    }
  }
}

function reaches(from: Version, module: string, importsOf: (module: string) => Iterable<string>): boolean {
  const seen = new Set(from.imports);
  // A set gives what is added to it while it is walked through, too.
  for (const name of seen) for (const next of importsOf(name)) seen.add(next);
  return seen.has(module);
}
