import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';
import { standIn } from '../../../support/docker/stand-in.ts';
import { ROOT } from '../../../support/shell.ts';

let folder: string;

beforeAll(() => {
  // It builds the command line when a source is newer.
  spawnSync(join(ROOT, 'setup/hotcast'), ['--help']);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-missing-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs `hotcast …` in an empty folder, with this script as the `docker` command, and without an engine on this machine. */
function hotcast(docker: string | null, ...args: string[]) {
  if (docker !== null) writeFileSync(join(folder, 'docker'), `#!/bin/sh\n${docker}\n`, { mode: 0o755 });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'packages/hotcast/dist/hotcast.cjs'), ...args],
    {
      encoding: 'utf8',
      cwd: folder,
      env: { ...standIn(folder), ...(docker === null ? { PATH: folder } : {}) },
    },
  );
  return { status, stdout, stderr };
}

const NOBODY = 'exit 0';

const INCLUDE = 'include:\n  - path: node_modules/hotcast/compose.yaml\n    project_directory: .\n';

describe('hotcast without a cluster', () => {
  it('says what is missing and what to type', () => {
    expect(hotcast(null, 'nodes')).toEqual({
      status: 2,
      stdout: '',
      stderr: `hotcast: no compose file in ${folder} or above it: go to the project's folder, or name the Compose project with --project\n`,
    });
    writeFileSync(join(folder, 'compose.yaml'), `name: quarry\n\n${INCLUDE}`);
    expect(hotcast(null, 'nodes').stderr).toBe('hotcast: there is no docker command in PATH: install Docker\n');
    expect(hotcast('echo "Cannot connect to mars" >&2; exit 1', 'nodes').stderr).toBe(
      'hotcast: no Docker engine answers; start it, and then the cluster with: docker compose up --detach (Cannot connect to mars)\n',
    );
    expect(hotcast(NOBODY, 'nodes').stderr).toBe(
      'hotcast: the controller of quarry is not running; start the cluster with: docker compose up --detach\n',
    );
  });

  it('starts the cluster as the project does', () => {
    writeFileSync(join(folder, 'compose.yaml'), `name: quarry\n\n${INCLUDE}`);
    const scripts = { build: 'tsc', 'fleet:up': 'docker compose up --detach --scale node=3' };
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts }));
    expect(hotcast(NOBODY, 'nodes').stderr).toMatch(/start the cluster with: npm run fleet:up\n$/);
    writeFileSync(join(folder, 'pnpm-lock.yaml'), '');
    expect(hotcast(NOBODY, 'nodes').stderr).toMatch(/start the cluster with: pnpm run fleet:up\n$/);
    expect(hotcast('echo "Cannot connect to mars" >&2; exit 1', 'nodes').stderr).toContain(
      'then the cluster with: pnpm run fleet:up (',
    );
  });

  it('says what to add to a compose file that does not include the cluster', () => {
    writeFileSync(join(folder, 'docker-compose.yml'), 'name: shop\nservices:\n  web:\n    image: shop\n');
    expect(hotcast(NOBODY, 'nodes').stderr).toBe(
      [
        'hotcast: the controller of shop is not running: docker-compose.yml does not include it. Add there, and then start the cluster with: docker compose up --detach',
        '  include:',
        '    - path: node_modules/hotcast/compose.yaml',
        '      project_directory: .',
        '',
      ].join('\n'),
    );
  });

  it('says of a project that it is given which ones run', () => {
    writeFileSync(join(folder, 'compose.yaml'), 'name: quarry\n');
    const running = (projects: string) => `case "$*" in *project=*|*swarm.service*) ;; *) printf "${projects}" ;; esac`;
    expect(hotcast(running('quarry\\ngravel\\n'), '--project', 'nope', 'nodes').stderr).toBe(
      'hotcast: the controller of nope is not running; one runs in: quarry, gravel\n',
    );
    expect(hotcast(running(''), '--project', 'nope', 'nodes').stderr).toBe(
      'hotcast: the controller of nope is not running; no other project has one that runs\n',
    );
  });

  it('says which command it does not know', () => {
    expect(hotcast(NOBODY, 'pusch', 'demo')).toEqual({
      status: 2,
      stdout: '',
      stderr: `error: unknown command 'pusch'\n(Did you mean push?)\n`,
    });
  });

  it('finds the controller of a stack of Swarm on this machine', () => {
    const docker = `case "$*" in
  ps*swarm.service.name=quarry_controller*) echo "c0ffee " ;;
  exec*c0ffee*) echo "$*" >&2; exit 2 ;;
esac`;
    expect(hotcast(docker, '--project', 'quarry', 'nodes').stderr).toContain('c0ffee hotcast nodes');
  });

  it('names the projects whose controllers run, where there is no compose file', () => {
    expect(hotcast('echo quarry', 'nodes').stderr).toContain('with --project (a controller runs in: quarry)\n');
  });

  it('uses the Docker context that it is given', () => {
    expect(hotcast('echo "$1 $2 $3" >&2; exit 1', '--project', 'a', 'nodes', '--context', 'mars').stderr).toContain(
      '(--context mars ps)',
    );
  });

  it('shows its help and its version', () => {
    const { status, stdout } = hotcast(null, 'push', '--help');
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('--canary <scope>') as unknown });
    expect(stdout).toContain('--project-directory <path>');
    const known = { command: 'version', cli: PACKAGE_VERSION, controller: null, nodes: [] };
    expect(JSON.parse(hotcast(NOBODY, '--version', '--json').stdout)).toEqual(known);
    expect(hotcast(NOBODY, '--version')).toEqual({
      status: 0,
      stdout: `hotcast  ${PACKAGE_VERSION}\n`,
      stderr: expect.stringMatching(
        /^warning: the versions of the controller and the nodes are not known: no compose file in /,
      ) as unknown,
    });
  });
});
