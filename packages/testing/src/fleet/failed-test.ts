import type { FleetLogLine } from '../api/fleet.ts';
import type { RunningCluster } from './running-cluster.ts';

/** How many lines of each container are shown. */
const MAX_LINES = 40;

/** The containers that log lines of ours, beside the nodes. */
const SERVICES = ['controller', 'roster', 'auth-callout'];

/** The last lines that each container of a cluster has logged, for people. */
export async function lastLogs(cluster: RunningCluster): Promise<string> {
  const logs = await Promise.all(
    [...cluster.nodeNames, ...SERVICES].map(async name => {
      const lines = await cluster.logsOf(name).catch(() => []);
      return lines.slice(-MAX_LINES).map(line => `${name.padEnd(12)} | ${textOf(line)}`);
    }),
  );
  return logs.flat().join('\n');
}

function textOf({ time, msg, module, revision, err }: FleetLogLine): string {
  const who = module === undefined ? '' : `${module}${revision === undefined ? '' : `@${revision}`}: `;
  const error = err === undefined ? '' : `\n${err.stack ?? `${err.type}: ${err.message}`}`;
  return `${time.slice(11, 23)} ${who}${msg}${error}`;
}

/** vitest can load this file twice: as it is, and through Vite. */
const KEY = Symbol.for('@hotcast/testing: the fleets of the test file that runs');
const held = globalThis as { [KEY]?: Set<() => Promise<string>> };

/** The texts to print with each test of the file that fails: the logs of fleets that no test has started, but `beforeAll`, for example. */
export function textsOfFile(): Set<() => Promise<string>> {
  return (held[KEY] ??= new Set());
}

/**
 * Has vitest print a text with the test that runs now, if it fails. Outside of a test, it is printed with each one that fails in the file;
 * that needs the plugin. Without vitest, it does nothing.
 *
 * @returns whether there is such a test.
 */
export async function printIfTestFails(text: () => Promise<string>): Promise<boolean> {
  if (process.env['VITEST'] === undefined) return false;
  try {
    const { onTestFailed } = await import('vitest');
    onTestFailed(async () => console.error(await text()));
    return true;
  } catch {
    textsOfFile().add(text);
    return false;
  }
}
