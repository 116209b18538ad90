import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { versionSource } from '../support/cluster/module-sources.ts';
import { ComposeProject, TEST_PROJECT } from '../support/docker/compose-project.ts';
import { PROJECT_LABEL } from '../support/docker/compose-resources.ts';
import { engine } from '../../packages/testing/src/docker/engine.ts';
import { HttpLoad } from '../support/http/http-load.ts';
import { type ProcessOutput, ROOT } from '../support/shell.ts';

const TIMEOUT = 400_000;
const NODES = ['fred', 'bambam', 'betty'];
/** The images of the services that `make up` replaces; those of a release also make its keys. */
const SERVICES = 'node controller roster auth-callout';

/** Is pushed once, by the release before. */
const WEB = `
  export default { fetch: async () => {
    await new Promise(resolve => setTimeout(resolve, 100));
    return new Response('served');
  } };
`;

/** What a push, and a call after it, came to. `isMixed`: nodes of both releases ran. */
interface Round {
  readonly version: string;
  readonly isMixed: boolean;
  readonly pushed: ProcessOutput;
  readonly called: ProcessOutput;
}

/** The running containers of the nodes, in the order of their names. */
async function nodeContainers(project: ComposeProject) {
  const label = [`${PROJECT_LABEL}=${project.name}`, 'com.docker.compose.service=node'];
  const found = await (await engine()).listContainers({ filters: { label } });
  const nodes = found.map(({ Names: [name = ''], Id: id, ImageID: image }) => ({ name, id, image }));
  return nodes.toSorted((a, b) => a.name.localeCompare(b.name));
}

/**
 * Checks a release out: the next `make up` starts its images, and NATS anew where the keys of the releases differ. `back`: the images of
 * the last release, with the keys of the present one.
 */
async function checkOut(project: ComposeProject, release: 'last' | 'present' | 'back'): Promise<void> {
  const stamp = join(ROOT, `.cache/built-${project.name}`);
  rmSync(stamp, { force: true });
  project.set({ COMPOSE_FILE: 'docker-compose.yml' });
  if (release === 'present') return;
  if (release === 'last') {
    const { stdout } = await project.shell('git show "$(<setup/last-release):docker-compose.yml"');
    const file = join(ROOT, `.cache/${project.name}.yml`);
    const [, format = ''] = /KEYS_FORMAT: (\d+)/.exec(stdout) ?? [];
    writeFileSync(file, `services: { nats: { environment: { KEYS_FORMAT: ${format} } } }\n`);
    project.set({ COMPOSE_FILE: `docker-compose.yml:${file}` });
  }
  // That release has no console.
  const tag =
    `docker tag ${process.env['HOTCAST_PROJECT'] || 'hotcast'}-console ${project.name}-console && last=$(setup/last-release.sh) && ` +
    `for image in ${SERVICES}${release === 'last' ? ' keygen' : ''}; do docker tag $last-$image ${project.name}-$image; done`;
  const { exitCode, stderr } = await project.shell(tag);
  expect(exitCode, stderr).toBe(0);
  writeFileSync(stamp, process.env['NODE_PACKAGES'] ?? '');
}

/** Pushes and calls until the signal aborts, one after the other. */
async function pushAndCall(project: ComposeProject, release: string, signal: AbortSignal): Promise<Round[]> {
  const rounds: Round[] = [];
  while (!signal.aborted) {
    const version = `${release} ${rounds.length}`;
    project.writeModule('demo', versionSource(version));
    const images = new Set((await nodeContainers(project)).map(({ image }) => image));
    const pushed = await project.hotcast('push', 'demo', '--no-check');
    rounds.push({ version, isMixed: images.size > 1, pushed, called: await project.hotcast('call', 'demo.version()') });
  }
  return rounds;
}

/** Whether a command failed because the controller, or NATS, was being replaced. */
const isWithoutController = ({ exitCode, stdout, stderr }: ProcessOutput): boolean =>
  exitCode !== 0 && /is not running|the controller ended|NATS/.test(stdout + stderr);

const it = test
  .extend('id', { scope: 'file' }, TEST_PROJECT)
  .extend('project', { scope: 'file' }, async ({ id }, { onCleanup }) => {
    const project = new ComposeProject(id);
    onCleanup(() => project[Symbol.asyncDispose]());
    await checkOut(project, 'last');
    project.writeModule('web', WEB);
    const started = await project.make('up', 'NODES=3');
    expect(started.exitCode, started.stderr).toBe(0);
    expect((await project.hotcast('push', 'web', '--no-check')).exitCode).toBe(0);
    return project;
  });

describe('make up, with pushes, calls and requests all the while,', { timeout: TIMEOUT }, () => {
  it.for(['present', 'back', 'present'] as const)(
    'replaces one node after the other: %s',
    async (release, { project }) => {
      const before = await nodeContainers(project);
      await checkOut(project, release);
      const { stdout: address } = await project.shell('docker compose port proxy 8080');
      const load = new HttpLoad(`http://${address.trim()}/web/`, { connections: 6, methods: ['GET', 'POST'] });
      await load.rounds(1);
      const done = new AbortController();
      const pushing = pushAndCall(project, release, done.signal);
      const upgraded = await project.make('up');
      done.abort();
      const rounds = await pushing;
      await load.rounds(1);
      await load.stop();

      expect(upgraded.exitCode, upgraded.stderr).toBe(0);
      expect(upgraded.stderr.match(/replacing \S+ \(\d of 3\)/g)).toHaveLength(3);
      expect(load.failures).toEqual([]);
      expect(new Set(load.answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['200 served']));
      expect(new Set(load.answers.map(({ node }) => node))).toEqual(new Set(NODES));
      const answered = rounds.filter(({ pushed, called }) => ![pushed, called].some(isWithoutController));
      // A node can be silent while it connects to the new NATS.
      const served = answered.filter(({ pushed }) => !pushed.stdout.includes('silent'));
      expect(answered.length - served.length).toBeLessThanOrEqual(1);
      expect(served.filter(({ pushed, called }) => pushed.exitCode !== 0 || called.exitCode !== 0)).toEqual([]);
      const answers = ({ called: { stdout } }: Round) =>
        new Set(Array.from(stdout.matchAll(/'(.*)'/g), ([, value]) => value));
      expect(served.map(answers)).toEqual(served.map(({ version }) => new Set([version])));
      expect(served.filter(({ isMixed }) => isMixed).length).toBeGreaterThan(1);

      const after = await nodeContainers(project);
      expect(after.map(({ name }) => name)).toEqual(before.map(({ name }) => name));
      expect(after.filter(({ image }) => before.some(each => each.image === image))).toEqual([]);
      const nodes = await project.nodes();
      expect(nodes.map(({ node }) => node)).toEqual(NODES);
      const again = await project.make('up');
      expect(again.exitCode, again.stderr).toBe(0);
      expect(await nodeContainers(project)).toEqual(after);
    },
  );
});

it(
  'make up stops at a node that does not run what it should, also when it is typed again',
  { timeout: TIMEOUT },
  async ({ project }) => {
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-test-upgrade-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const settings = join(folder, 'modules.env');
    writeFileSync(settings, 'QUARRY=closed\n');
    project.writeModule(
      'picky',
      `if (process.env.QUARRY === 'closed') throw new Error('no work');\n${versionSource('at work')}`,
    );
    expect((await project.hotcast('push', 'picky', '--no-check')).exitCode).toBe(0);
    const before = await nodeContainers(project);

    project.set({ MODULES_ENV: settings });
    for (const line of [
      /replacing \S+-node-1 \(1 of 3\)\n.* fred: picky refused .*no work/,
      /fred: picky refused .*no work/,
    ]) {
      const stopped = await project.make('up');
      expect(stopped.exitCode).not.toBe(0);
      expect(stopped.stderr).toMatch(line);
      expect(stopped.stderr).toMatch(/nodes that are not replaced yet run on/);
      const [, ...others] = await nodeContainers(project);
      expect(others).toEqual(before.slice(1));
    }
    writeFileSync(settings, 'QUARRY=open\n');
    const done = await project.make('up');
    expect(done.exitCode, done.stderr).toBe(0);
    const called = await project.hotcast('call', 'picky.version()');
    expect(called.stdout.match(/'at work'/g)).toHaveLength(3);
  },
);
