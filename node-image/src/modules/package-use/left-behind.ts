import type { NodeDescription } from '../../../../protocol/messages.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import type { Logger } from '../../../../shared/logger.ts';
import type { ScopedResources } from '../../sandbox/scoped-resources.ts';
import type { ModuleTable } from '../module-table.ts';
import { scriptName, type Version } from '../version.ts';

/** How long a version has ended before the log says what it left behind: connections that nobody uses close by themselves. */
const REPORT_AFTER_MS = 15_000;

/** What versions that have ended have left open in packages. It does not end with them, because other versions can use it. */
export function leftBehind(modules: ModuleTable, resources: ScopedResources | null, log: Logger) {
  const timers = new Set<NodeJS.Timeout>();
  let isStopped = resources === null;

  /** By the scripts of the versions: `demo@3f2a9c81b0d4`. */
  const describe = (): NonNullable<NodeDescription['leftBehind']> => {
    const open = [...(resources?.open() ?? [])];
    return Object.fromEntries(open.filter(([script]) => modules.versionOf(script) === null));
  };

  const report = (version: Pick<Version, 'module' | 'revision'>): void => {
    const left = describe()[scriptName(version)];
    if (left === undefined) return;
    const what = [counted(left.timers, 'timer'), counted(left.sockets, 'connection')].filter(text => text !== '');
    log.warn(
      { ...version, ...left },
      `left behind: ${what.join(' and ')} that packages have opened for this version (docs/packages.md says what to do)`,
    );
  };

  return {
    describe,
    /** Looks in a while what a version that has ended has left behind, and logs it. */
    reportLater: ({ module, revision }: Version): void => {
      if (isStopped) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        report({ module, revision: shortRevision(revision) });
      }, REPORT_AFTER_MS).unref();
      timers.add(timer);
    },
    /** Reports nothing any more. */
    stop: (): void => {
      isStopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`;
}
