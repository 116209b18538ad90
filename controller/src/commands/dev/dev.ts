import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { revisionsOf } from '../../../../protocol/head.ts';
import { whyOf } from '../../../../protocol/history/why.ts';
import type { OnReport } from '../../api/report.ts';
import type { PushResult } from '../../api/results.ts';
import type { Build } from '../../build/build.ts';
import { checkVersions } from '../../rollout/versions.ts';
import { affectedModules } from '../changed-modules.ts';
import type { CommandContext, Handler } from '../context.ts';
import { push } from '../push.ts';
import { announced } from '../records/announced.ts';
import { audited } from '../records/audited.ts';
import { Prebuild } from './prebuild.ts';
import { ReadAhead } from './read-ahead.ts';
import { Saves } from './saves.ts';
import { isOfSources, Session, UNDECIDED } from './session.ts';

/** chokidar tells of one save of a file in 50 ms and drops the others, so the folder is looked at once more (milliseconds). */
const LOOK_AGAIN_MS = 100;

/** After a push that reached nobody, the next one (milliseconds). */
const RETRY_MS = 1_000;

/**
 * Watches the modules folder, and the project around it, and pushes what a save touches, with the command that a user types. What is saved meanwhile goes
 * with the next push. It ends with its client.
 *
 * A module that does not compile does not hold the others: then each goes alone.
 */
export const dev: Handler<'dev', never> = async (context, command, report, signal, holds) => {
  const idle = (): void => holds('what was saved and shown is on the nodes; nothing is watched any more', false);
  idle();
  const { author, strict, cookie, timeoutMs } = command;
  const how = {
    author,
    ...whyOf(command),
    force: false,
    check: strict,
    dryRun: false,
    canary: null,
    cookie,
    timeoutMs,
  };
  // Its progress is not shown: a save is one line.
  const warn: OnReport = message => message.type === 'warning' && report(message);
  const prebuild = new Prebuild(context, strict);
  const ahead = new ReadAhead(context);
  const session = new Session({
    wanted: saved => wantedModules(ahead.context, saved),
    push: async modules => {
      const saved = { type: 'push' as const, modules: [...modules], change: randomUUID(), ...how };
      try {
        const pushing = announced(context, saved, warn, async announcing => {
          const read = ahead.take();
          const pushed = { ...read, build: beside(() => checkVersions(read, saved), prebuild.build) };
          return push(pushed, saved, announcing, signal, (line, written) => holds(`the last save: ${line}`, written));
        });
        // It is tried again each second, so what reached nobody would fill the audit.
        if (!(await isDecided(pushing))) return await pushing;
        return await audited(context.audit, saved, warn, () => pushing);
      } finally {
        if (!signal.aborted) idle();
        context.warm();
      }
    },
    checkTypes: strict ? null : modules => context.build(modules, true, () => undefined).finally(context.warm),
    report,
    signal,
  });
  const saves = new Saves(signal);
  await using _watcher = await context.watch(path => {
    saves.add(path);
    ahead.begin();
    if (path !== null) prebuild.start(path);
  });
  report({ type: 'note', message: 'watching modules and what they import; each save goes to the nodes' });
  // The folder is watched until this ends.
  const pushing: typeof session.push = (...saved) => ahead.during(() => session.push(...saved));
  return await pushSaves(saves, { push: pushing }, report, signal);
};

/** Builds while something is checked that counts first: nodes come while the folder is watched. */
function beside(check: () => Promise<void>, build: Build): Build {
  return async (...what) => {
    const checking = check();
    const [, built] = await Promise.allSettled([checking, build(...what)]);
    await checking;
    if (built.status === 'rejected') throw built.reason;
    return built.value;
  };
}

/** Whether a push has reached the nodes, or never can with these sources. */
async function isDecided(pushing: Promise<PushResult>): Promise<boolean> {
  try {
    return !UNDECIDED.has((await pushing).outcome);
  } catch (error) {
    return isOfSources(error);
  }
}

/** Pushes what is saved until the signal is aborted. @throws its reason. */
export async function pushSaves(
  saves: Saves,
  session: Pick<Session, 'push'>,
  report: OnReport,
  signal: AbortSignal,
): Promise<never> {
  for (;;) {
    const { paths, at } = await saves.next();
    const isDone = await session.push(paths, at).catch((error: unknown) => {
      signal.throwIfAborted();
      report({ type: 'warning', message: error instanceof Error ? error.message : String(error) });
      return false;
    });
    if (!isDone) void sleep(RETRY_MS, null, { ref: false }).then(() => saves.add(null));
    else if (paths.size > 0) void sleep(LOOK_AGAIN_MS, null, { ref: false }).then(() => saves.add(null));
  }
}

async function wantedModules(context: CommandContext, saved: ReadonlySet<string>): Promise<string[]> {
  const heads = await context.store.heads();
  const changed = await affectedModules(context, heads, () => undefined);
  const deployed = new Set(heads.filter(head => revisionsOf(head).length > 0).map(({ module }) => module));
  const isNew = (module: string): boolean => saved.has(module) && !deployed.has(module);
  return [...changed, ...context.availableModules().filter(isNew)].toSorted();
}
