import type { Head } from '../../../protocol/head.ts';
import type { Container } from '../fleet/roster.ts';

type Starts = ReadonlyMap<string, string | undefined>;

/** Knows from the roster, and from no node, which containers have started again since a head was written. */
export class RestartWatch {
  /** The last start of each container when it was looked at last. */
  #last: Starts | null = null;
  /** The same when each push was seen first. */
  #atCommit = new Map<string, Map<string, string | undefined>>();

  /** Takes the newest heads, and the containers as they are now. */
  observe(heads: readonly Head[], containers: readonly Container[]): void {
    const now: Starts = new Map(containers.map(({ id, lastStart }) => [id, lastStart]));
    // A push that was not there the last time was written since.
    const before = this.#last ?? now;
    this.#atCommit = new Map(
      heads.map(({ push }) => {
        const known = this.#atCommit.get(push);
        return [push, new Map([...now, ...before, ...(known ?? [])])];
      }),
    );
    this.#last = now;
  }

  /** Whether the container of a node has started again since a push. */
  hasRestarted(push: string, container: string): boolean {
    const now = this.#last?.get(container);
    return now !== undefined && this.#atCommit.get(push)?.get(container) !== now;
  }
}
