import { describe, expect, test } from 'vitest';

import { ComposeProject, TEST_PROJECT } from '../../support/docker/compose-project.ts';
import { containersOf } from '../../support/docker/compose-resources.ts';
import { logLines } from '../../../packages/testing/src/docker/container-logs.ts';
import { engine } from '../../../packages/testing/src/docker/engine.ts';
import { runContainer } from '../../support/docker/run-container.ts';

const VOLUMES = [
  'controller-keys',
  'node-keys',
  'roster-keys',
  'observer-keys',
  'console-keys',
  'auth-callout-keys',
  'trust',
  'nats-keys',
];
const SERVICES = ['node', 'controller', 'roster', 'auth-callout', 'keygen', 'console'];

/** A key file and its permissions. */
interface KeyFile {
  /** `controller-keys/dino/signing.pem` */
  readonly path: string;
  readonly uid: number;
  readonly mode: string;
  readonly text: string;
}

/** A program that prints a line of JSON for each file and folder below its arguments. */
const LIST = `
  const fs = require('node:fs');
  for (const root of process.argv.slice(1)) for (const name of ['', ...fs.readdirSync(root, { recursive: true })]) {
    const path = name === '' ? root : root + '/' + name;
    const stat = fs.statSync(path);
    const text = stat.isFile() ? fs.readFileSync(path, 'latin1') : '';
    console.log(JSON.stringify({ path: path.slice(1), uid: stat.uid, mode: stat.mode.toString(8), text }));
  }
`;

/** A program that prints every file of an image that contains one of its arguments or any private key. /usr is the base image's. */
const SEARCH = `
  const fs = require('node:fs');
  const wanted = process.argv.slice(1);
  const privateKey = /-----BEGIN (EC |RSA )?PRIVATE KEY-----\\s+[A-Za-z0-9+/]{40}|\\bS[UA][A-Z2-7]{56}\\b/;
  const walk = folder => {
    for (const entry of fs.readdirSync(folder || '/', { withFileTypes: true })) {
      const path = folder + '/' + entry.name;
      if (['/proc', '/sys', '/dev', '/usr'].includes(path)) continue;
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) {
        const text = fs.readFileSync(path, 'latin1');
        if (privateKey.test(text) || wanted.some(each => text.includes(each))) console.log(path);
      }
    }
  };
  walk('');
`;

async function keyFiles(project: string): Promise<KeyFile[]> {
  const { exitCode, lines } = await runContainer(`${project}-keygen`, {
    Entrypoint: ['node', '-e', LIST, '--'],
    Cmd: VOLUMES.map(volume => `/${volume}`),
    User: '0:0',
    HostConfig: { Binds: VOLUMES.map(volume => `${project}_${volume}:/${volume}:ro`), NetworkMode: 'none' },
  });
  expect(exitCode, lines.join('\n')).toBe(0);
  return lines.map(line => JSON.parse(line) as KeyFile);
}

const isSecret = ({ path }: KeyFile): boolean => /\.nk$|(?:root|signing)\.pem$|\/key\.pem$/.test(path);

/** The text that identifies a secret: a seed, or a line of a PEM file. */
const secretIn = ({ text }: KeyFile): string => (text.includes('BEGIN') ? (text.split('\n')[1] ?? '') : text.trim());

const it = test
  .extend('id', { scope: 'file' }, `${TEST_PROJECT}-s`)
  .extend('project', { scope: 'file' }, async ({ id }, { onCleanup }) => {
    const project = new ComposeProject(id, { NATS_TLS: '1' });
    onCleanup(() => project[Symbol.asyncDispose]());
    project.writeModule('demo', 'export const add = (x: number, y: number): number => x + y;\n');
    const { exitCode, stderr } = await project.make('up', 'NODES=2');
    expect(exitCode, stderr).toBe(0);
    return project;
  })
  .extend('files', { scope: 'file' }, async ({ project }) => keyFiles(project.name))
  .extend('secrets', { scope: 'file' }, async ({ files }) => files.filter(isSecret).map(secretIn));

describe('a secret', () => {
  it('is in a volume, and only its service can read it', ({ files }) => {
    const secrets = files.filter(isSecret).map(({ path }) => path);
    expect(secrets.toSorted()).toEqual([
      'auth-callout-keys/issuer.nk',
      'auth-callout-keys/nats.nk',
      'console-keys/quarry/nats.nk',
      'controller-keys/quarry/nats.nk',
      'controller-keys/quarry/root.pem',
      'controller-keys/quarry/signing.pem',
      'nats-keys/key.pem',
      'node-keys/quarry/nats.nk',
      'observer-keys/quarry/nats.nk',
      'roster-keys/quarry/nats.nk',
    ]);
    for (const { path, uid, mode } of files) {
      expect({ path, uid, mode }).toEqual({
        path,
        uid: path.startsWith('roster-keys') ? 0 : 1000,
        mode: expect.stringMatching(/^(100400|40700)$/) as string,
      });
    }
  });

  it.for(SERVICES)('is not in the image of the %s, nor in its history', async (service, { project, secrets }) => {
    const image = `${project.name}-${service}`;
    const found = await runContainer(image, {
      Entrypoint: ['node', '-e', SEARCH, '--'],
      Cmd: secrets,
      User: '0:0',
      HostConfig: { NetworkMode: 'none' },
    });
    expect(found).toEqual({ exitCode: 0, lines: [] });
    const history = JSON.stringify(await (await engine()).getImage(image).history());
    expect(secrets.filter(secret => history.includes(secret))).toEqual([]);
    expect(history).not.toMatch(/PRIVATE KEY|\bS[UA][A-Z2-7]{56}\b/);
  });

  it('is neither in the inspection result nor in the log of any container', async ({ project, secrets }) => {
    expect((await project.hotcast('push', 'demo')).exitCode).toBe(0);
    expect(secrets).toHaveLength(10);
    for (const [service, container] of await containersOf(project.name)) {
      const texts = [JSON.stringify(await container.inspect())];
      const reading = { follow: false, signal: AbortSignal.timeout(30_000) };
      for await (const line of logLines(container, reading)) texts.push(line);
      const text = texts.join('\n');
      expect(
        secrets.filter(secret => text.includes(secret)),
        service,
      ).toEqual([]);
      expect(text, service).not.toMatch(/PRIVATE KEY|\bS[UA][A-Z2-7]{56}\b/);
    }
  });
});

describe('a container', () => {
  it('mounts only what it needs, and only the roster mounts the Docker socket', async ({ project }) => {
    const mounts: Record<string, string[]> = {};
    for (const [service, container] of await containersOf(project.name)) {
      const { Mounts } = await container.inspect();
      mounts[service] = Mounts.map(
        ({ Name, Destination, RW }) =>
          `${Name === undefined || /^[0-9a-f]{64}$/.test(Name) ? '' : `${Name.replace(`${project.name}_`, '')} on `}${Destination} ${RW ? 'rw' : 'ro'}`,
      ).toSorted();
    }
    expect(mounts).toEqual({
      node: [
        '/run/secrets ro',
        'node-keys on /run/keys ro',
        'node-state on /var/lib/hotcast rw',
        'trust on /run/trust ro',
      ],
      controller: [
        '/work/modules ro',
        '/work/project ro',
        'controller-keys on /run/keys rw',
        'shell-history on /var/lib/hotcast rw',
        'trust on /run/trust rw',
      ],
      roster: ['/var/run/docker.sock rw', 'roster-keys on /run/keys ro'],
      console: ['console-keys on /run/keys ro', 'trust on /run/trust ro'],
      'auth-callout': ['auth-callout-keys on /run/keys ro'],
      nats: ['/etc/nats/nats.conf ro', 'nats-keys on /etc/nats/keys ro', 'stream on /data rw'],
      proxy: ['/etc/haproxy/haproxy.cfg ro'],
      keygen: expect.arrayContaining(
        VOLUMES.map(volume => expect.stringMatching(`^${volume} on /volumes/`) as string),
      ) as string[],
    });
  });
});

describe('keys', () => {
  it('stay the same when make up runs again, also with a second cookie', async ({ project, files }) => {
    expect((await project.make('up', 'NODES=2')).exitCode).toBe(0);
    expect(await keyFiles(project.name)).toEqual(files);

    expect((await project.make('up', 'NODES=2', 'COOKIES=quarry rubble')).exitCode).toBe(0);
    const both = await keyFiles(project.name);
    const old = files.filter(file => isSecret(file) || file.path.startsWith('trust'));
    expect(both.filter(({ path }) => old.some(file => file.path === path))).toEqual(old);
    const added = both.filter(isSecret).filter(({ path }) => path.includes('/rubble/'));
    expect(added).toHaveLength(7);
    expect(added.map(secretIn).filter(secret => old.map(secretIn).includes(secret))).toEqual([]);
    const { stdout } = await project.hotcast('push', 'demo', '--force', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'committed' });
  });

  it('of a second cookie on the same NATS give no access to the first', async ({ project }) => {
    const controller = (await containersOf(project.name)).get('controller');
    if (controller === undefined) throw new Error('the project has no controller');
    const { Image, HostConfig, Config } = await controller.inspect();
    const env = Config.Env.map(line => (line.startsWith('COOKIE=') ? 'COOKIE=rubble' : line));
    const docker = await engine();
    const container = await docker.createContainer({
      Image,
      Env: env,
      HostConfig: { ...HostConfig, AutoRemove: false, RestartPolicy: { Name: 'no' } },
      Labels: { 'com.docker.compose.project': project.name, 'com.docker.compose.service': 'second-cookie' },
    });
    await container.start();
    for await (const line of logLines(container, { follow: true, signal: AbortSignal.timeout(30_000) })) {
      if (line.includes('"msg":"ready"')) break;
    }
    const listing = await container.exec({
      Cmd: ['hotcast', 'nodes', '--json'],
      AttachStdout: true,
      AttachStderr: true,
    });
    let text = '';
    for await (const chunk of await listing.start({})) text += String(chunk);
    expect(text).toContain('"nodes":[]');
    expect((await project.nodes()).map(({ node }) => node)).toEqual(['fred', 'bambam']);
  });
});
