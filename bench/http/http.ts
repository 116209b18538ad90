import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT, run } from '../run.ts';
import type { Measured, Turn, Turns } from './main.ts';
import { type ServerFigures, serverFigures } from './turns.ts';

/** What the others are compared with: the server that does the same work without hot loading. */
export const REFERENCES: readonly string[] = ['node-server', 'node:http', 'ws'];

/** One server in one case. */
export interface CaseServer extends ServerFigures {
  /** Of every turn, in their order. */
  readonly turns: readonly Turn[];
}

export interface CaseFigures {
  readonly case: string;
  readonly reference: string;
  readonly servers: readonly CaseServer[];
}

export interface HttpFigures {
  readonly cases: readonly CaseFigures[];
  readonly rss: Measured['rss'];
}

interface HttpOptions {
  readonly rounds: number;
  /** The checkout of another Hotcast, or null. */
  readonly against: string | null;
  /** The others: `node-server`, `srvx`, `node:http`, `ws`. */
  readonly servers: readonly string[];
  /** The base image of nodes. */
  readonly image: string;
  /** An empty folder, which the container reads. */
  readonly folder: string;
}

/** The names of the own server, and of that of another checkout. */
export const OWN = 'hotcast';
export const OTHER = 'hotcast before';

/** The node's code without NATS. A file in the checkout, because it imports that checkout's code. */
const NODE = `
export { CodeServer } from '../../node-image/src/modules/code-server.ts';
export { startHttpServer } from '../../node-image/src/http/server.ts';
export { installWebClasses } from '../../node-image/src/http/web/install.ts';
export { scopeListening } from '../../node-image/src/sandbox/listening/scope-listening.ts';
export { revisionOf } from '../../protocol/revision.ts';
export { packMap } from '../../protocol/bundle.ts';
`;

/** Measures all servers in turns, in one container of the nodes' base image, with the load generator beside them. */
export async function measureHttp(options: HttpOptions): Promise<HttpFigures> {
  const { rounds, against, servers, image, folder } = options;
  const bundle = (checkout: string, ...args: readonly string[]): Promise<string> =>
    run('npm', ['run', '--silent', 'bundle', '--', ...args], { cwd: checkout });
  const bundleNode = async (checkout: string, name: string): Promise<string> => {
    const entry = join(checkout, '.cache/bench');
    mkdirSync(entry, { recursive: true });
    writeFileSync(join(entry, 'node.ts'), NODE);
    await bundle(checkout, '.cache/bench/node.ts', `--outfile=${folder}/${name}.mjs`);
    return `${name}.mjs`;
  };
  // Modules are scripts, as the controller compiles them: without the bundle's banner.
  const module = (file: string, name: string): Promise<string> =>
    bundle(ROOT, `bench/http/${file}`, `--outfile=${folder}/${name}.cjs`, '--format=cjs', '--banner:js=');
  await Promise.all([module('app.ts', 'web'), module('plain-app.ts', 'plain')]);
  await bundle(ROOT, 'bench/http/main.ts', 'bench/http/server.ts', `--outdir=${folder}`, '--out-extension:.js=.mjs');
  const own = [`${OWN}=${await bundleNode(ROOT, 'after')}`];
  if (against !== null) own.push(`${OTHER}=${await bundleNode(against, 'before')}`);
  const program = ['node', '/bench/main.mjs', String(rounds), ...own, ...servers];
  const output = await run('docker', ['run', '--rm', '--init', '--volume', `${folder}:/bench:ro`, image, ...program]);
  return figuresOfTurns(JSON.parse(output) as Measured);
}

export function figuresOfTurns({ turns, rss }: Measured): HttpFigures {
  const names = [...new Set(turns.map(each => each.case))];
  return {
    cases: names.map(name =>
      caseFigures(
        name,
        turns.filter(each => each.case === name),
      ),
    ),
    rss,
  };
}

function caseFigures(name: string, all: readonly Turns[]): CaseFigures {
  const reference = all.find(({ server }) => REFERENCES.includes(server));
  if (reference === undefined) throw new TypeError(`nothing to compare with: ${name}`);
  const servers = all.map(({ server, turns }): CaseServer => {
    return { ...serverFigures(server, turns, reference.turns), turns };
  });
  return { case: name, reference: reference.server, servers };
}
