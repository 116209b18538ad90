import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findProject } from '../../../../packages/hotcast/src/project.ts';

const unnamed = { project: null, projectDirectory: null };

let root: string;
let fleet: string;
let inside: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hotcast-project-'));
  fleet = join(root, 'My Fleet.1');
  inside = join(fleet, 'modules/deep');
  mkdirSync(inside, { recursive: true });
});

afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  writeFileSync(join(fleet, file), text);
}

const nameOf = (env: Record<string, string> = {}, options: Parameters<typeof findProject>[0] = unnamed) =>
  findProject(options, env, inside)?.name;

describe('the Compose project', () => {
  it('is that of the nearest compose file upwards, and has the name of its folder', () => {
    expect(findProject(unnamed, {}, inside)).toBeNull();
    write('compose.yaml', 'services: {}\n');
    expect(findProject(unnamed, {}, inside)).toEqual({
      name: 'myfleet1',
      folder: fleet,
      file: join(fleet, 'compose.yaml'),
    });
    expect(findProject(unnamed, {}, root)).toBeNull();
  });

  it('is that of the first of several compose files, in the order of Compose', () => {
    for (const file of ['docker-compose.yaml', 'docker-compose.yml', 'compose.yml', 'compose.yaml']) {
      write(file, `name: ${file.replace('.', '-')}\n`);
      expect(nameOf()).toBe(file.replace('.', '-'));
    }
  });

  it.each([
    ['name: quarry', {}, 'quarry'],
    ["name: 'quarry' # ours", {}, 'quarry'],
    ['name: ${HOTCAST_PROJECT:-hotcast}', {}, 'hotcast'],
    ['name: ${FLEET}-$STAGE', { FLEET: 'quarry', STAGE: 'test' }, 'quarry-test'],
    ['name: quarry${STAGE:+-}${STAGE-}', {}, 'quarry'],
    ['services:\n  web:\n    name: other', {}, 'myfleet1'],
  ])('has the name that the file says: %j', (yaml, env, name) => {
    write('compose.yaml', `${yaml}\n`);
    expect(nameOf(env)).toBe(name);
  });

  it('has variables from .env too', () => {
    write('docker-compose.yml', 'name: ${FLEET}\n');
    write('.env', 'FLEET=quarry\n');
    expect(nameOf()).toBe('quarry');
    write('.env', 'FLEET=quarry\nCOMPOSE_PROJECT_NAME=gravel\n');
    expect(nameOf()).toBe('gravel');
    expect(nameOf({ COMPOSE_PROJECT_NAME: 'stone' })).toBe('stone');
  });

  it('is named by the option, by COMPOSE_PROJECT_NAME, and by HOTCAST_PROJECT, in this order', () => {
    expect(nameOf({ HOTCAST_PROJECT: 'a' })).toBe('a');
    expect(nameOf({ HOTCAST_PROJECT: 'a', COMPOSE_PROJECT_NAME: 'b' })).toBe('b');
    expect(nameOf({ COMPOSE_PROJECT_NAME: 'b' }, { ...unnamed, project: 'c' })).toBe('c');
  });

  it('is that of a given folder, or of COMPOSE_FILE', () => {
    write('compose.yaml', 'name: quarry\n');
    write('other.yaml', 'name: gravel\n');
    expect(findProject({ ...unnamed, projectDirectory: fleet }, {}, root)?.name).toBe('quarry');
    expect(findProject(unnamed, { COMPOSE_FILE: 'other.yaml:more.yaml' }, fleet)?.name).toBe('gravel');
  });
});
