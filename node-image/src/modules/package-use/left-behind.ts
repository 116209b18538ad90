import type { NodeDescription } from '../../../../protocol/messages.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import type { Logger } from '../../../../shared/logger.ts';
import type { OpenResources, ScopedResources } from '../../sandbox/scoped-resources.ts';
import type { ModuleTable } from '../module-table.ts';
import { scriptName, type Version } from '../version.ts';

/**
 * How long a version has ended at least before the log says what it left behind: connections that nobody uses close by themselves. All
 * that end in that time share a timer, so that many pushes are not as many timers.
 */
const REPORT_AFTER_MS = 15_000;

type Named = Pick<Version, 'module' | 'revision'>;

/** What versions that have ended have left open in packages. It does not end with them, because other versions can use it. */
export function leftBehind(modules: ModuleTable, resources: ScopedResources | null, log: Logger) {
  let timer: NodeJS.Timeout | null = null;
  /** The versions that have ended before the timer was started, and since. */
  let due: Named[] = [];
  let ended: Named[] = [];
  let isStopped = resources === null;

  /** By the scripts of the versions: `demo@3f2a9c81b0d4`. */
  const describe = (): NonNullable<NodeDescription['leftBehind']> => {
    const open = [...(resources?.open() ?? [])];
    return Object.fromEntries(open.filter(([script]) => modules.versionOf(script) === null));
  };

  const report = (version: Named, left: OpenResources | undefined): void => {
    if (left === undefined) return;
    const what = [counted(left.timers, 'timer'), counted(left.sockets, 'connection')].filter(text => text !== '');
    log.warn(
      { module: version.module, revision: shortRevision(version.revision), ...left },
      `left behind: ${what.join(' and ')} that packages have opened for this version (docs/packages.md says what to do)`,
    );
  };

  const startTimer = (): void => {
    [due, ended] = [ended, []];
    timer = due.length === 0 ? null : setTimeout(reportDue, REPORT_AFTER_MS).unref();
  };

  const reportDue = (): void => {
    const left = describe();
    for (const version of due) report(version, left[scriptName(version)]);
    startTimer();
  };

  return {
    describe,
    /** Looks in a while what a version that has ended has left behind, and logs it. */
    reportLater: ({ module, revision }: Version): void => {
      if (isStopped) return;
      ended.push({ module, revision });
      if (timer === null) startTimer();
    },
    /** Reports nothing any more. */
    stop: (): void => {
      isStopped = true;
      clearTimeout(timer ?? undefined);
    },
  };
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`;
}
