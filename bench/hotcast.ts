import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { PushResult } from '../controller/src/api/results.ts';
import { ControlConnection } from '../test/support/cluster/control-connection.ts';
import { disposedUnless, startFleet } from './fleet.ts';
import { type Contender, loadedOn, type PushSample } from './rounds.ts';
import { ROOT, run } from './run.ts';
import { subjectSource } from './subject.ts';

/** After a push, the controller starts the process for its next preflight, which takes about this long (milliseconds). */
const NEXT_PREFLIGHT_MS = 300;

export type Hotcast = Awaited<ReturnType<typeof startHotcast>>;

/**
 * Builds Hotcast's images, starts a cluster from nothing, as `make up` does, and connects to its controller.
 *
 * @param folder an empty folder that modules are compiled from.
 * @param checkout the folder of the Hotcast that is built and started.
 */
export async function startHotcast(project: string, nodes: number, folder: string, checkout: string) {
  // Nodes log warnings only: BEAM nodes log no load either.
  const env = { HOTCAST_PROJECT: project, HTTP_PORT: '0', CONSOLE_PORT: '0', MODULES_DIR: folder, LOG_LEVEL: 'warn' };
  const where = { cwd: checkout, env };
  await run('docker', ['compose', 'build', '--quiet'], where);
  const fleet = await startFleet({ project, ...where }, '--scale', `node=${nodes}`);
  const wait = ['nodes', '--wait', String(nodes), '--timeout', '120'];
  await disposedUnless(fleet, () => run('setup/hotcast', wait, where));
  const startMs = fleet.ageMs();
  // An older controller knows the timeout by another name.
  const line = new ControlConnection(await fleet.id('controller'), checkout === ROOT ? null : { patience: 5_000 });
  const modules = new Set<string>();
  return {
    fleet,
    nodes,
    line,
    /** From no container until all nodes answered (milliseconds). */
    startMs,
    write(module: string, source: string): void {
      modules.add(module);
      writeFileSync(join(folder, `${module}.ts`), source);
    },
    /** Pushes a module, or several together. @throws Error when a node did not load them. */
    async push(...args: Parameters<ControlConnection['push']>): Promise<PushResult> {
      return loadedOn(nodes, await line.push(...args));
    },
    /** Removes all modules that were written and pushed. */
    async clear(): Promise<void> {
      if (modules.size > 0) await line.remove([...modules]);
      for (const module of modules) rmSync(join(folder, `${module}.ts`));
      modules.clear();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      line[Symbol.dispose]();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

/**
 * A complete push: signed, prepared on every node, written to the stream, committed, and loaded on every node. The
 * controller times it from the end of the compilation.
 */
export function hotcastContender(name: string, hotcast: Hotcast): Contender {
  let version = 0;
  const push = async (bytes: number): Promise<PushSample> => {
    hotcast.write(`subject${bytes}`, subjectSource(bytes, (version += 1)));
    return pushSample((await hotcast.push(`subject${bytes}`)).times);
  };
  return { name, pauseMs: NEXT_PREFLIGHT_MS, push };
}

/** All that the controller did after it had compiled the module. */
export function pushSample({ prepare, write, commit, skew }: PushResult['times']): PushSample {
  return { ms: prepare + write + commit, skew, phases: { prepare, write, commit } };
}
