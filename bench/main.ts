import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { removeProject } from './fleet.ts';
import { loadOptions, PARTS } from './options.ts';
import { plotOf } from './plot.ts';
import { reportOf } from './report.ts';
import { ROOT } from './run.ts';
import { PROJECTS, runSuite } from './suite.ts';

function say(line: string): void {
  process.stderr.write(`bench: ${String(Math.round(performance.now() / 1_000)).padStart(3)} s  ${line}\n`);
}

/** Six significant digits are more than enough. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(6)) : value;
}

// Containers read from this folder.
process.umask(0o022);
const folder = mkdtempSync(join(tmpdir(), 'hotcast-bench-'));
chmodSync(folder, 0o755);
let isInterrupted = false;
try {
  const options = loadOptions(process.env);
  /** Removes everything that the run has started, and ends. */
  const abandon = async (): Promise<void> => {
    isInterrupted = true;
    say('interrupted: removing everything');
    // Twice: a fleet can be in the middle of its start.
    for (const project of [...PROJECTS, ...PROJECTS]) await removeProject(`${options.project}${project}`).catch(say);
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void abandon());

  const results = await runSuite(options, folder, say);
  const only = PARTS.every(part => options.parts.includes(part)) ? '' : `-${options.parts.join('-')}`;
  const base = join(ROOT, 'bench/results', `${results.at.slice(0, 10)}${only}`);
  mkdirSync(join(base, '..'), { recursive: true });
  writeFileSync(`${base}.json`, `${JSON.stringify(results, rounded, 1)}\n`);
  const plot = await plotOf(results);
  if (plot !== null) writeFileSync(`${base}.svg`, plot);
  process.stdout.write(`\n${reportOf(results)}\n\nThe samples and a plot are in ${relative(ROOT, base)}.*\n`);
} catch (error) {
  // After an interruption, failures are expected: everything is being removed.
  if (isInterrupted) await new Promise(() => undefined);
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
