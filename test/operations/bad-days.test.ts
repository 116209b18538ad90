import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import type { ResultOf } from '../../controller/src/api/results.ts';
import { NATS_SEED_FILE } from '../../shared/nats/options.ts';
import { forgedBan, useKey } from '../support/attack/stolen-key.ts';
import { versionSource } from '../support/cluster/module-sources.ts';
import { CLOCK_FILE, SHIFTABLE_CLOCK } from '../support/docker/clock.ts';
import { ComposeProject, TEST_PROJECT } from '../support/docker/compose-project.ts';
import { containersOf, nodesOf } from '../support/docker/compose-resources.ts';
import { engine } from '../../packages/testing/src/docker/engine.ts';
import { pause } from '../support/docker/pause.ts';
import { type ProcessOutput, ROOT, run } from '../support/shell.ts';
import { badDays } from '../unit/docs/bad-days.ts';

const HOUR = 3_600_000;
const DAY_TIMEOUT = 300_000;
const COMPOSE_FILE = join(ROOT, 'docker-compose.yml');
const BACKUP = join(ROOT, 'hotcast.backup');

/** A small disk for the stream, which a service holds while NATS is down. */
const SMALL_DISK = `
services:
  disk:
    image: \${NATS_IMAGE:-nats:2.15-alpine}
    entrypoint: [sleep, '1000000']
    init: true
    network_mode: none
    volumes: ['stream:/data']
  keygen:
    depends_on: [disk]
volumes:
  stream:
    driver_opts: { type: tmpfs, device: tmpfs, o: size=48m }
`;

const it = test
  .extend('id', { scope: 'file' }, TEST_PROJECT)
  .extend('project', { scope: 'file' }, async ({ id }, { onCleanup }) => {
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-test-days-'));
    writeFileSync(join(folder, 'disk.yml'), SMALL_DISK);
    writeFileSync(join(folder, 'modules.env'), `NODE_OPTIONS='${SHIFTABLE_CLOCK.NODE_OPTIONS}'\n`);
    const project = new ComposeProject(id, {
      COMPOSE_FILE: `${COMPOSE_FILE}:${join(folder, 'disk.yml')}`,
      MODULES_ENV: join(folder, 'modules.env'),
      STREAM_MAX_MB: '16',
      MODULE_MAX_MB: '8',
      EVENT_LOOP_TIMEOUT_MS: '1000',
      AUDIT_FILE: '/tmp/audit.jsonl',
    });
    onCleanup(async () => {
      await project[Symbol.asyncDispose]();
      for (const path of [folder, BACKUP]) rmSync(path, { recursive: true, force: true });
    });
    await expectDone(project, 'make up NODES=3');
    project.writeModule('demo', versionSource('first'));
    await expectDone(project, 'make push MODULE=demo');
    project.writeModule('demo', stallingSource('second'));
    await expectDone(project, 'make push MODULE=demo');
    return project;
  });

const stallingSource = (version: string): string =>
  `${versionSource(version)}export function stall(): void {\n  for (;;);\n}\n`;

/** A module of about 6 MB as a bundle. */
const largeSource = (): string =>
  `export const text = (): number => '${randomBytes(3e6).toString('base64')}'.length;\n`;

const textOf = ({ stdout, stderr }: ProcessOutput): string => stdout + stderr;

async function expectDone(project: ComposeProject, command: string): Promise<string> {
  const done = await project.shell(command);
  const { exitCode } = done;
  expect({ command, exitCode, said: exitCode === 0 ? '' : textOf(done) }).toEqual({ command, exitCode: 0, said: '' });
  return textOf(done);
}

/** Waits until a command says something that the page has under "You see", of that which has this word. */
async function expectSeen(title: string, look: () => Promise<ProcessOutput>, word = ''): Promise<void> {
  const texts = (badDays().find(day => day.title === title)?.seen ?? []).filter(text => text.includes(word));
  expect(texts).not.toEqual([]);
  const seen = async (): Promise<string> => {
    const said = textOf(await look());
    return texts.some(text => said.includes(text)) ? 'seen' : said;
  };
  await expect.poll(seen, { timeout: 60_000, interval: 1_000 }).toBe('seen');
}

/** Types the commands of a day as they stand in the page. Each has to succeed. Returns all that they said. */
async function type(project: ComposeProject, title: string): Promise<string> {
  const day = badDays().find(each => each.title === title);
  expect(day?.commands, title).not.toEqual([]);
  let said = '';
  for (const command of day?.commands ?? []) said += await expectDone(project, command);
  return said;
}

function push(project: ComposeProject, version: string): Promise<ProcessOutput> {
  project.writeModule('demo', stallingSource(version));
  return project.shell('make push MODULE=demo');
}

const inService = (project: ComposeProject, service: string, command: string): Promise<string> =>
  expectDone(project, `docker compose exec -T ${service} sh -c '${command}'`);

async function kill(project: ComposeProject, service: string): Promise<void> {
  await (await containersOf(project.name)).get(service)?.kill();
}

/** Every node has this version, and says so. */
async function expectEverywhere(project: ComposeProject, version: string): Promise<void> {
  const { stdout } = await project.hotcast('call', 'demo.version()', '--verbose');
  expect(stdout.match(new RegExp(`^\\w+ .*${version}`, 'gm')), stdout).toHaveLength(3);
}

describe('the commands of docs/operations.md', { timeout: DAY_TIMEOUT }, () => {
  it('begin with a backup, which is in the audit and in the file of the operator', async ({ project }) => {
    await type(project, '');
    expect(await expectDone(project, 'make audit')).toMatch(/backup .*done/);
    await inService(project, 'controller', 'grep -q backup /tmp/audit.jsonl && mv /tmp/audit.jsonl /tmp/audit.1');
    await expectDone(project, 'make push MODULE=demo FORCE=1');
    expect(await inService(project, 'controller', 'cat /tmp/audit.jsonl')).toMatch(/^\{.*"command":"push".*\}\n$/);
  });

  it('A clock is wrong', async ({ project }) => {
    for (const [index, offset, version] of [
      [2, HOUR, 'ahead'],
      [3, -HOUR, 'behind'],
    ] as const) {
      await inService(project, `--index ${index} node`, `echo ${offset} > ${CLOCK_FILE}`);
      for (const command of ['make nodes', 'make doctor'])
        await expectSeen('A clock is wrong', () => project.shell(command), version);
      expect((await push(project, version)).exitCode).toBe(0);
      await expectEverywhere(project, version);
      await inService(project, `--index ${index} node`, `rm ${CLOCK_FILE}`);
      expect(await type(project, 'A clock is wrong')).not.toContain('warning');
    }
    expect((await push(project, 'third')).exitCode).toBe(0);
  });

  it('A node is kept off a revision', async ({ project }) => {
    await project.hotcast('call', 'demo.stall()', '--node', 'fred', '--timeout', '1');
    await expectSeen('A node is kept off a revision', () => project.shell('make status'));
    await type(project, 'A node is kept off a revision');
    await expectEverywhere(project, 'third');
  });

  it('The signing key is lost', async ({ project }) => {
    await inService(project, 'controller', 'rm -f /run/keys/quarry/signing.pem');
    await expectSeen('The signing key is lost', () => push(project, 'fourth'));
    await type(project, 'The signing key is lost');
    await expectEverywhere(project, 'fourth');
  });

  it('The disk is full', async ({ project }) => {
    await inService(project, 'nats', 'dd if=/dev/zero of=/data/ballast bs=4k; true');
    project.writeModule('small', versionSource(randomBytes(15e3).toString('hex')));
    await expectSeen('The disk is full', () => project.hotcast('push', 'small'));
    await inService(project, 'nats', 'rm /data/ballast');
    project.writeModule('demo', stallingSource('fifth'));
    await type(project, 'The disk is full');
    await expectEverywhere(project, 'fifth');
  });

  it('A node is cut off', async ({ project }) => {
    const network = (await engine()).getNetwork(`${project.name}_cluster`);
    const Container = `${project.name}-node-3`;
    await network.disconnect({ Container });
    await expectSeen('A node is cut off', () => push(project, 'sixth'));
    await network.connect({ Container, EndpointConfig: { Aliases: ['node'] } });
    await type(project, 'A node is cut off');
    await expectEverywhere(project, 'sixth');
  });

  it('NATS is gone', async ({ project }) => {
    await kill(project, 'nats');
    await expectSeen('NATS is gone', () => push(project, 'seventh'));
    await type(project, 'NATS is gone');
    await expectEverywhere(project, 'seventh');
  });

  it('The controller ended during a push', async ({ project }) => {
    const nodes = await nodesOf(project.name);
    for (const node of nodes) await pause(node);
    const pushing = push(project, 'eighth');
    const running = async () => (await project.shell('docker compose top controller')).stdout;
    await expect.poll(running, { timeout: 60_000 }).toContain('push demo');
    await kill(project, 'controller');
    for (const node of nodes) await node.unpause();
    await expectSeen('The controller ended during a push', () => pushing);
    await type(project, 'The controller ended during a push');
    await expectEverywhere(project, 'eighth');
  });

  it('Back to an older state', async ({ project }) => {
    expect(await type(project, 'Back to an older state')).toMatch(/restore of 20/);
    await expectEverywhere(project, 'second');
  });

  it('The stream is lost', async ({ project }) => {
    await inService(project, 'nats', 'rm -rf /data/jetstream');
    await kill(project, 'nats');
    await expectDone(project, 'docker compose start nats');
    await expectSeen('The stream is lost', () => project.shell('make status'));
    await type(project, 'The stream is lost');
    await expectEverywhere(project, 'second');
  });

  it('A new cluster from a backup', async ({ project }) => {
    await expectDone(project, 'make down');
    project.set({ COMPOSE_FILE });
    await type(project, 'A new cluster from a backup');
    await expectEverywhere(project, 'second');
  });

  it('A node is kept off a revision without a reason', async ({ project }) => {
    const title = 'A node is kept off a revision without a reason';
    const { stdout } = await project.hotcast('history', 'demo', '--json');
    const [head] = (JSON.parse(stdout) as ResultOf<'history'>).heads;
    if (head === undefined) throw new Error('demo has no head');
    const seed = (await inService(project, 'node', `cat /run/keys/quarry/${NATS_SEED_FILE}`)).trim();
    const forge = async () => {
      const container = (await project.nodes()).find(({ node }) => node === 'fred')?.container ?? '';
      const exec = (command: readonly string[]) => run('docker', ['exec', container, ...command], {});
      const messages = [forgedBan('quarry', head, 'fred', container)];
      await useKey({ seed, container, nats: 'nats', exec }, { messages });
    };
    await forge();
    await expectSeen(title, () => project.shell('make status'));
    // It outlives the containers.
    await expectDone(project, 'docker compose down --timeout 2');
    expect(textOf(await project.shell('make up NODES=3'))).toContain('quarantined');
    expect(await expectDone(project, 'make bans')).toMatch(/demo@\w+ +fred +memory/);

    await type(project, 'A node is kept off a revision without a reason');
    await expectEverywhere(project, 'second');
    await expect(forge()).rejects.toThrow('Authorization Violation');
  });

  it('The stream is full', async ({ project }) => {
    for (const name of ['large', 'larger', 'largest']) project.writeModule(name, largeSource());
    for (const name of ['large', 'larger']) await expectDone(project, `make push MODULE=${name}`);
    await expectSeen('The stream is full', () => project.hotcast('push', 'largest'));
    project.writeModule('demo', stallingSource('ninth'));
    await type(project, 'The stream is full');
    await expectEverywhere(project, 'ninth');
    await expectDone(project, 'make push MODULE=largest');
  });
});
