import { join } from 'node:path';

import { startFleet } from '../fleet.ts';
import { type ServerFigures, serverFigures } from '../http/turns.ts';
import { ROOT, run } from '../run.ts';
import { FLAGS } from '../runtime/flags.ts';
import type { HotCalls } from '../runtime/calls.ts';
import type { Measured } from './main.ts';

/** What answers calls, and what it is compared with. */
export const OWN = 'hotcast';
export const REFERENCE = 'services';

export interface CallFigures {
  readonly hot: HotCalls;
  readonly nats: readonly ServerFigures[];
}

interface CallsOptions {
  readonly rounds: number;
  /** The Compose project of NATS. */
  readonly project: string;
  /** The base image of nodes. */
  readonly image: string;
  /** An empty folder, which containers read. */
  readonly folder: string;
}

/**
 * Measures calls of `hot:` imports beside plain ones, in a container of the nodes' base image; and calls over NATS to a node, beside those
 * to a service of `@nats-io/services` that does the same, in turns.
 */
export async function measureCalls({ rounds, project, image, folder }: CallsOptions): Promise<CallFigures> {
  const programs = ['hot', 'main', 'server'].map(name => `bench/calls/${name}.ts`);
  await run('npm', ['run', '--silent', 'bundle', '--', ...programs, `--outdir=${folder}`, '--out-extension:.js=.mjs']);
  const container = ['run', '--rm', '--init', '--volume', `${folder}:/bench:ro`];
  const hot = await run('docker', [...container, image, 'node', ...FLAGS, '/bench/hot.mjs']);
  const file = join(ROOT, 'bench/bare/docker-compose.yml');
  await using fleet = await startFleet({ project, file }, 'nats');
  const network = ['--network', `container:${await fleet.id('nats')}`];
  const calls = await run('docker', [...container, ...network, image, 'node', '/bench/main.mjs', String(rounds)]);
  return { hot: JSON.parse(hot) as HotCalls, nats: figuresOfCalls(JSON.parse(calls) as Measured) };
}

/** @throws TypeError when the reference was not measured. */
export function figuresOfCalls(measured: Measured): ServerFigures[] {
  const reference = measured[REFERENCE];
  if (reference === undefined) throw new TypeError('there is nothing to compare calls with');
  return Object.entries(measured).map(([server, turns]) => serverFigures(server, turns, reference));
}
