import type { Command, CommandOf, OnReport } from '../api/command.ts';
import type { Result, ResultOf } from '../api/results.ts';
import type { Build } from '../build/build.ts';
import type { SourceFiles } from '../build/source-files.ts';
import type { Membership } from '../fleet/membership.ts';
import type { CanaryMonitor } from '../rollout/canary-monitor.ts';
import type { RolloutContext } from '../rollout/context.ts';

/** What the commands need, each a part of it. */
export interface CommandContext extends RolloutContext {
  readonly membership: Pick<Membership, 'expected'>;
  readonly monitor: Pick<CanaryMonitor, 'watch'>;
  /** Builds the bundles of modules from their sources as they are now. */
  readonly build: Build;
  readonly sources: Pick<SourceFiles, 'changedAmong'>;
  /** The names of the modules that have sources now. */
  readonly availableModules: () => readonly string[];
}

/**
 * Carries out the commands of one type. `report` receives what there is to tell before the result. `signal` is aborted when the
 * client has gone: then a command stops to wait, and throws its reason. What has written heads finishes them all the same.
 */
export type Handler<T extends Command['type'], R extends Result = ResultOf<T>> = (
  context: CommandContext,
  command: CommandOf<T>,
  report: OnReport,
  signal: AbortSignal,
) => Promise<R>;
