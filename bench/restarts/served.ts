import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { disposedUnless, startFleet } from '../fleet.ts';
import type { Hotcast } from '../hotcast.ts';
import { hotcastSource, plainSource, readTally } from './tally.ts';

/** The timeout for the first start of all nodes, and the time between two looks (milliseconds). */
const START_TIMEOUT_MS = 120_000;
const LOOK_INTERVAL_MS = 200;

/** A fleet that serves the function, and the newest version. */
export type Served = Pick<PlainFleet, 'fleet' | 'nodes' | 'version'>;

export type PlainFleet = Awaited<ReturnType<typeof startPlainFleet>>;

/**
 * Starts containers with an ordinary Node.js server each, behind the same proxy as Hotcast.
 *
 * @param code an empty folder for the nodes' code.
 */
export async function startPlainFleet(project: string, nodes: number, code: string) {
  const write = (version: number): void => writeFileSync(join(code, 'tally.mjs'), plainSource(version));
  write(0);
  const file = join(import.meta.dirname, 'docker-compose.yml');
  const fleet = await startFleet({
    project,
    file,
    env: { CODE_DIR: code, NODES: String(nodes), HTTP_PORT: '0', CONSOLE_PORT: '0' },
  });
  const plain = {
    fleet,
    nodes,
    version: 0,
    /** Writes the next version of the code. Nodes run it after their next start. */
    writeNext: (): void => write((plain.version += 1)),
    /** When the last node began to listen with the newest version, by the log (milliseconds since 1970); NaN before. */
    async listeningAt(): Promise<number> {
      const log = await fleet.compose('logs', '--timestamps', '--no-color', '--no-log-prefix', 'node');
      const times = log.split('\n').flatMap(line => {
        const [time = '', text = ''] = line.split(' ');
        return readTally(text)?.version === plain.version ? [Date.parse(time)] : [];
      });
      return times.length < nodes ? NaN : Math.max(...times);
    },
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  };
  return disposedUnless(plain, async () => {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Number.isNaN(await plain.listeningAt())) {
      if (Date.now() > deadline) throw new Error(`not all of ${nodes} servers have started`);
      await pause(LOOK_INTERVAL_MS);
    }
  });
}

/** The function as a module on every node of a Hotcast cluster. */
export function hotcastTally(hotcast: Hotcast) {
  const { fleet, nodes } = hotcast;
  const tally = {
    fleet,
    nodes,
    version: 0,
    /** Pushes the next version; the time until every node has loaded it and answered a call with it (milliseconds). */
    async push(): Promise<number> {
      hotcast.write('tally', hotcastSource((tally.version += 1)));
      const startedAt = performance.now();
      await hotcast.push('tally');
      const { nodes: answers } = await hotcast.line.call('tally.state()');
      const tallies = answers.map(answer => (answer.status === 'value' ? readTally(answer.json ?? '') : null));
      const current = tallies.filter(each => each?.version === tally.version).length;
      if (current === nodes) return performance.now() - startedAt;
      throw new Error(`${current} of ${nodes} nodes answer with version ${tally.version}`);
    },
  };
  return tally;
}
