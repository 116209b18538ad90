import { setImmediate as turn } from 'node:timers/promises';

import { orNullAfter } from '../../../shared/timeout.ts';
import type { EndCause } from '../sandbox/lifetime.ts';
import type { Calls } from './in-flight-calls.ts';
import type { ModuleTable } from './module-table.ts';
import type { Version } from './version.ts';

/** What the error of a call says whose version ends before it, after the name of the module. */
const WHY_CALLS_FAIL: Readonly<Record<EndCause, string>> = {
  purged: 'was purged while the call ran on its old version',
  removed: 'was purged while the call ran on its old version',
  stopped: 'ended while the call ran, because the node stopped',
};

export type EndingVersions = ReturnType<typeof endingVersions>;

/**
 * Ends versions, and waits for their dispose callbacks when the node stops.
 *
 * @param onEnded is called with each version that has ended.
 */
export function endingVersions(modules: ModuleTable, calls: Calls, onEnded: (version: Version) => void) {
  const ending = new Map<Version, Promise<void>>();

  const whenEnded = async (version: Version, ended: Promise<void>): Promise<void> => {
    await ended;
    ending.delete(version);
    onEnded(version);
  };

  /** Ends a version; its calls fail. Returns the other versions that they are not counted for any more. */
  const end = (version: Version, cause: EndCause, disposeTimeoutMs?: number): Version[] => {
    const released = calls.release(version, WHY_CALLS_FAIL[cause]);
    const ended = version.lifetime.end(cause, disposeTimeoutMs);
    ending.set(version, ended);
    void whenEnded(version, ended);
    return released;
  };

  /**
   * Ends all versions, because the node stops. Waits for their dispose callbacks, and for those of versions that ended
   * before, and for what the modules keep, at most `timeoutMs` (milliseconds), and for one turn of the event loop, in which the
   * calls that fail are answered.
   *
   * @param closeKept closes what the modules keep.
   */
  const endAll = async (timeoutMs: number, closeKept: () => Promise<unknown>): Promise<void> => {
    for (const version of modules.versions) end(version, 'stopped', timeoutMs);
    const ended = async (): Promise<void> => {
      await Promise.all(ending.values());
      await closeKept();
    };
    await Promise.all([orNullAfter(timeoutMs, ended()), turn()]);
  };

  return {
    end,
    endAll,
    /** Resolves when the callbacks of all versions that end now have run. */
    untilEnded: async (): Promise<void> => void (await Promise.all(ending.values())),
    /** The versions whose callbacks run. */
    get versions(): Version[] {
      return [...ending.keys()];
    },
  };
}
