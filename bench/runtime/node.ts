import { setTimeout as pause } from 'node:timers/promises';
import { Script } from 'node:vm';

import { Bench, type FnOptions } from 'tinybench';

import { CodeServer } from '../../node-image/src/modules/code-server.ts';
import type { Bundle } from '../../protocol/bundle.ts';
import { CODE_CACHE_RUNTIME, moduleScript, SCOPED_GLOBALS, SCRIPT_OPTIONS } from '../../shared/module-script.ts';

const nothing = (): void => undefined;

/** A code server that logs nothing. */
export function silentServer(): CodeServer {
  return new CodeServer({ info: nothing, warn: nothing, error: nothing });
}

export function load(server: CodeServer, bundle: Bundle, sequence: number): void {
  server.prepare(bundle);
  commit(server, bundle, sequence);
}

/** Switches to a version that was prepared. @throws TypeError when it was not loaded. */
export function commit(server: CodeServer, { module, revision }: Bundle, sequence: number): void {
  const outcome = server.commit([{ module, revision, sequence, force: false, makeRoom: false }]);
  if (outcome.status !== 'ok') throw new TypeError(outcome.detail);
}

/** A bundle with the code cache that the controller's preflight makes: of a script that has run. */
export function withCache(bundle: Bundle): Bundle {
  const script = new Script(moduleScript(bundle.code), SCRIPT_OPTIONS);
  const run = script.runInThisContext() as (...args: unknown[]) => void;
  const module = { exports: {} };
  const globals = SCOPED_GLOBALS.map(name => globalThis[name] as unknown);
  run(module, module.exports, () => ({}), { data: {} }, ...globals);
  return { ...bundle, cache: { runtime: CODE_CACHE_RUNTIME, data: script.createCachedData() } };
}

/** The memory of this process after a full collection (bytes). */
export async function collectedMemory(): Promise<{ readonly heap: number; readonly rss: number }> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await pause(20);
  }
  const { heapUsed: heap, rss } = process.memoryUsage();
  return { heap, rss };
}

/** The latency of a function (milliseconds), over so many samples after a warm-up. */
export async function latencyOf(samples: number, fn: () => unknown, options: FnOptions = {}) {
  const bench = new Bench({ time: 0, iterations: samples, warmupTime: 0, warmupIterations: samples / 5, throws: true });
  bench.add('', fn, { async: false, ...options });
  const [task] = await bench.run();
  if (task?.result.state !== 'completed') throw new TypeError('the measurement did not complete');
  return task.result.latency;
}
