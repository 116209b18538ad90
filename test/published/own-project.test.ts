import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { NodesResult, PushResult } from '../../controller/src/api/results.ts';
import { PACKAGE_VERSION } from '../../shared/package-version.ts';
import { Project } from './project.ts';

const COMPOSE = `name: own

include:
  - path: node_modules/hotcast/compose.yaml
    project_directory: .

services:
  # A kind of node of the project's own.
  worker:
    extends:
      file: node_modules/hotcast/compose.yaml
      service: node
    environment:
      ROLE: worker
`;

const demo = (greeting: string): string => `
/** Adds. */
export const add = (a: number, b: number): number => a + b;
export const greet = (): string => ${JSON.stringify(greeting)};
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'esnext',
    lib: ['esnext'],
    module: 'preserve',
    strict: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node', 'hotcast/types'],
    paths: { 'hot:*': ['./*.ts'] },
  },
};

/** How long the command line takes at most, beside what the engine needs for a process (milliseconds). */
const OVERHEAD_MS = 150;

/** Other processes of the machine take time too, so the best of each counts: of at least ten rounds, and up to 40 on a busy machine. */
const ROUNDS = { least: 10, most: 40 };

describe('a project that has only the packed package of the command line', { timeout: 180_000 }, () => {
  const project = new Project('own');
  const inModules = join(project.folder, 'modules');
  afterAll(() => project[Symbol.asyncDispose]());

  beforeAll(async () => {
    mkdirSync(project.folder);
    project.write('package.json', '{ "name": "own", "private": true, "type": "module" }\n');
    project.write('compose.yaml', COMPOSE);
    project.write('modules/tsconfig.json', JSON.stringify(TSCONFIG));
    project.write('modules/demo.ts', demo('Calculating'));
    await project.sh('npm install --no-audit --no-fund hotcast');
  }, 180_000);

  it('says how to start, before anything runs', async () => {
    expect(await project.try('npx hotcast nodes', inModules)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `hotcast: the controller of ${project.compose} is not running; start the cluster with: docker compose up --detach\n`,
    });
  });

  it('starts the published images, and nodes of its own', async () => {
    await project.sh(['docker compose up --detach --scale node=2', 'npx hotcast nodes --wait 3 --timeout 120']);
    const { nodes } = JSON.parse(await project.sh('npx hotcast nodes --json')) as NodesResult;
    expect(nodes.map(({ node }) => node).toSorted()).toEqual(['bambam', 'fred', 'worker-1']);
    expect(await project.sh('npx hotcast --version')).toMatch(
      new RegExp(`^hotcast +${PACKAGE_VERSION}\\nnodes +${PACKAGE_VERSION} +3 nodes\\n$`),
    );
    const console = `http://${(await project.sh('docker compose port console 8090')).trim()}/`;
    await expect.poll(() => fetch(console).then(page => page.text()), { timeout: 60_000 }).toContain('Hotcast');
  });

  it('pushes, calls, edits and pushes again, from any folder of the project', async () => {
    const pushed = JSON.parse(await project.sh('npx hotcast push demo --json', inModules)) as PushResult;
    expect(pushed).toMatchObject({ outcome: 'committed' });
    expect(pushed.nodes.map(({ status }) => status)).toEqual(['loaded', 'loaded', 'loaded']);
    expect(await project.call('demo.add(4, 5)')).toEqual([9, 9, 9]);
    project.write('modules/demo.ts', demo('Calculating like a boss!'));
    await project.sh('npx hotcast push demo');
    expect(await project.sh("npx hotcast call 'demo.greet()'")).toContain('Calculating like a boss!');
  });

  it('reports a type error with its line, and pushes nothing', async () => {
    project.write('modules/wrong.ts', 'export const wrong: number = import.meta.hot.data;\n');
    const { exitCode, stderr, stdout } = await project.try('npx hotcast push wrong');
    expect(exitCode).toBe(2);
    expect(stdout + stderr).toContain('modules/wrong.ts:1');
  });

  it('says when the command line has another version than the controller, and what helps', async () => {
    const program = project.read('node_modules/hotcast/dist/hotcast.cjs');
    project.write('other/hotcast.cjs', program.replaceAll(`"${PACKAGE_VERSION}"`, '"0.0.1"'));
    const { exitCode, stderr } = await project.try('node other/hotcast.cjs ping');
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`this hotcast has version 0.0.1, and the controller ${PACKAGE_VERSION}.`);
    expect(stderr).toContain(`npm install hotcast@${PACKAGE_VERSION}`);
  });

  it(`calls within ${OVERHEAD_MS} ms more than the engine needs to run a program that does nothing`, async () => {
    const id = (await project.sh('docker compose ps --quiet controller')).trim();
    const lines = {
      host: `node_modules/.bin/hotcast call 'demo.add(4, 5)' --node fred`,
      engine: `docker exec --interactive ${id} true </dev/null`,
    };
    const best = { host: Infinity, engine: Infinity };
    const isEnough = (round: number): boolean => round >= ROUNDS.least && best.host - best.engine < OVERHEAD_MS;
    for (let round = 0; round < ROUNDS.most && !isEnough(round); round += 1) {
      for (const [who, line] of Object.entries(lines) as [keyof typeof best, string][]) {
        // Node.js 20 reads the certificates of this variable at each start, which takes longer than all the rest.
        const took = await project.sh(
          `unset NODE_EXTRA_CA_CERTS; s=$EPOCHREALTIME; ${line} >/dev/null; e=$EPOCHREALTIME; echo $((\${e/./} - \${s/./}))`,
        );
        best[who] = Math.min(best[who], Number(took) / 1000);
      }
    }
    expect(best.host - best.engine, JSON.stringify(best)).toBeLessThan(OVERHEAD_MS);
  });

  it('leaves nothing behind', async () => {
    await project.sh('docker compose down --volumes --timeout 2');
    const label = `label=com.docker.compose.project=${project.compose}`;
    expect(await project.sh(`docker ps --all --quiet --filter ${label}`)).toBe('');
  });
});
