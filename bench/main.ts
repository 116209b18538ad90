import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import Docker from 'dockerode';

import { ROOT } from './command.ts';
import { loadOptions, type Options, PARTS } from './options.ts';
import { plotOf } from './plot.ts';
import { projectLabel, removeLabelled } from './projects.ts';
import { reportOf } from './report.ts';
import type { Results } from './results.ts';
import { projectsOf, Suite } from './suite.ts';

const startedAt = performance.now();

/** Tells what is done now, and since when. */
function say(line: string): void {
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  process.stderr.write(`bench: ${String(seconds).padStart(3)} s  ${line}\n`);
}

/** A folder for all temporary ones of this run, also of the programs that it starts; containers can read it. */
class TemporaryFolder implements Disposable {
  readonly #path = mkdtempSync(join(tmpdir(), 'hotcast-bench-'));

  constructor() {
    chmodSync(this.#path, 0o755);
    process.env['TMPDIR'] = this.#path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}

/** Takes everything down that a run has started, whatever it is at. */
async function abandon(docker: Docker, options: Options, folder: TemporaryFolder): Promise<void> {
  say('interrupted: taking everything down');
  const labels = [...Object.values(projectsOf(options)).map(projectLabel), `hotcast.bench=${process.pid}`];
  // Twice: something may just have been starting.
  await removeLabelled(docker, labels);
  await removeLabelled(docker, labels);
  folder[Symbol.dispose]();
  process.exit(130);
}

/** Writes what was found, and gives the files' names. */
async function write(results: Results, { parts }: Options): Promise<string[]> {
  const folder = join(ROOT, 'bench/results');
  const only = parts.length === PARTS.length ? '' : `-${parts.join('-')}`;
  const base = join(folder, `${results.at.slice(0, 10)}${only}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${base}.json`, `${JSON.stringify(results, null, 1)}\n`);
  const plot = await plotOf(results);
  if (plot !== null) writeFileSync(`${base}.svg`, plot);
  return [`${base}.json`, ...(plot === null ? [] : [`${base}.svg`])].map(file => relative(ROOT, file));
}

async function main(): Promise<void> {
  const options = loadOptions(process.env);
  const docker = new Docker();
  using folder = new TemporaryFolder();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted = true;
      void abandon(docker, options, folder);
    });
  }
  const results = await new Suite(docker, options, say).run();
  const files = await write(results, options);
  process.stdout.write(`\n${reportOf(results)}\n\n  ${files.join(', ')}\n`);
}

let interrupted = false;
try {
  await main();
} catch (error) {
  // What fails because it was taken away is no news.
  if (!interrupted) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } else await new Promise(() => undefined);
}
