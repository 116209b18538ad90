import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { freePort } from '../../support/free-port.ts';
import { ComposeProject, TEST_PROJECT } from '../../support/docker/compose-project.ts';
import { containersOf, inspectProject, nodesOf, resourcesOf } from '../../support/docker/compose-resources.ts';
import { pause } from '../../support/docker/pause.ts';
import { ROOT, run } from '../../support/shell.ts';
import { THROWS_ON_NODES } from '../../support/cluster/module-sources.ts';

/** How many processes of the controller's container have this in their command line. */
async function processesOf(project: ComposeProject, words: string): Promise<number> {
  const controller = (await containersOf(project.name)).get('controller');
  const processes = (await controller?.top()) as { readonly Processes: readonly string[][] } | undefined;
  return processes?.Processes.filter(columns => columns.at(-1)?.includes(words)).length ?? -1;
}

const it = test
  .extend('id', { scope: 'file' }, TEST_PROJECT)
  .extend('port', { scope: 'file' }, freePort)
  .extend('project', { scope: 'file' }, async ({ id, port }, { onCleanup }) => {
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-test-settings-'));
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'service.env'), "DATABASE_URL='postgres://quarry/$1'\nCOOKIE=other\nHTTP_PORT=1\n");
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(join(folder, 'secrets/password'), 'yabba');
    const project = new ComposeProject(id, {
      MODULE_PORTS: String(port),
      MODULES_ENV: join(folder, 'service.env'),
      MODULES_SECRETS: join(folder, 'secrets'),
    });
    onCleanup(async () => {
      await project[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    });
    project.writeModule('demo', 'export const add = (x: number, y: number): number => x + y;\n');
    const { exitCode, stderr } = await project.make('up', 'NODES=2');
    expect(exitCode, stderr).toBe(0);
    return project;
  });

describe('the containers of the Compose file', () => {
  it('have only the capabilities that they need, publish ports only on 127.0.0.1, and leave no volume behind', async ({
    project,
  }) => {
    const containers = await inspectProject(project.name);
    const services = containers.map(({ Config }) => Config.Labels['com.docker.compose.service'] ?? '');
    expect(services.toSorted((a, b) => a.localeCompare(b)).join(' ')).toBe(
      'auth-callout console controller keygen nats node node ports proxy roster',
    );
    for (const { Name, Config, HostConfig, Mounts, NetworkSettings } of containers) {
      const isRoot = /-(keygen|roster)-1$/.test(Name);
      expect(HostConfig, Name).toMatchObject({
        ReadonlyRootfs: true,
        Privileged: false,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        PidsLimit: 512,
      });
      const capabilities = ((HostConfig.CapAdd ?? []) as string[]).map(each => each.replace(/^CAP_/, ''));
      expect(capabilities, Name).toEqual(Name.endsWith('-keygen-1') ? ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'] : []);
      // A volume that has no name stays when its container is removed, and nobody uses it again.
      const volumes = Mounts.filter(({ Type }) => Type === 'volume').map(mount => mount.Name ?? '');
      expect(
        volumes.filter(volume => !volume.startsWith(`${project.name}_`)),
        Name,
      ).toEqual([]);
      expect(HostConfig.Memory, Name).toBeGreaterThanOrEqual(256 * 2 ** 20);
      expect(HostConfig.LogConfig, Name).toEqual({ Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } });
      for (const options of Object.values(HostConfig.Tmpfs ?? {})) expect(options, Name).toMatch(/size=\d+m/);
      expect(Config.User, Name).toMatch(isRoot ? /^0:0$/ : /^(node|1000:1000|99:99)$/);
      expect((HostConfig.Binds ?? []).some(bind => bind.includes('docker.sock'))).toBe(Name.endsWith('-roster-1'));
      const published = Object.values(NetworkSettings.Ports).flatMap(ports => ports ?? []);
      expect(published.map(({ HostIp }) => HostIp)).toEqual(
        /-(?:proxy|ports|console)-1$/.test(Name) ? ['127.0.0.1'] : [],
      );
    }
  });
});

describe('the services', () => {
  it('have a health check each, except nodes and the one that ends, and pass it; nodes pass the one of the page', async ({
    project,
  }) => {
    const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
    const ofPage = /test: \['CMD-SHELL', '(.*)'\]/.exec(page)?.[1]?.replaceAll('$$', '$') ?? '';
    expect(ofPage).toContain('/run/hotcast/alive');
    for (const { Name, Config } of await inspectProject(project.name)) {
      if (Name.endsWith('-keygen-1')) continue;
      const isNode = /-node-\d+$/.test(Name);
      if (isNode) expect(Config.Healthcheck, Name).toBeUndefined();
      const [kind, ...words] = isNode ? ['CMD-SHELL', ofPage] : (Config.Healthcheck?.Test ?? []);
      const command = kind === 'CMD-SHELL' ? ['sh', '-c', ...words] : words;
      // The proxies look for nodes once a second.
      await expect
        .poll(async () => (await run('docker', ['exec', Name.slice(1), ...command], {})).exitCode, {
          timeout: 20_000,
          message: Name,
        })
        .toBe(0);
    }
  });
});

describe('a module', () => {
  it('is reached on its own port, and has the environment and the secrets of the settings', async ({
    project,
    port,
  }) => {
    const source = `
      import { readFileSync } from 'node:fs';
      import { createServer } from 'node:http';
      const { DATABASE_URL, COOKIE } = process.env;
      if (DATABASE_URL === undefined) throw new Error('no database');
      const secret = readFileSync('/run/secrets/password', 'utf8');
      createServer((_, response) => response.end([DATABASE_URL, COOKIE, secret].join(' '))).listen(${port});
      export const nothing = 1;
    `;
    project.writeModule('service', source);
    expect(await project.hotcast('push', 'service')).toMatchObject({ exitCode: 0 });
    const get = async (): Promise<string> =>
      fetch(`http://127.0.0.1:${port}/`).then(
        response => response.text(),
        (error: unknown) => String(error),
      );
    await expect.poll(get).toBe('postgres://quarry/$1 quarry yabba');
    expect(await project.hotcast('remove', 'service')).toMatchObject({ exitCode: 0 });
  });
});

describe('make', () => {
  it('lists the nodes that up started', async ({ project }) => {
    const { exitCode, stdout, stderr } = await project.make('nodes');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^NODE +CONTAINER .*\nfred +[0-9a-f]{12} .* -\nbambam +[0-9a-f]{12} .* -\n$/);
  });

  it('pings one node', async ({ project }) => {
    expect(await project.make('ping', 'NODE=bambam')).toEqual({ exitCode: 0, stdout: 'pong\n', stderr: '' });
  });

  it('compiles onto one node, and pushes to all nodes', async ({ project }) => {
    const compiled = await project.make('compile', 'MODULE=demo', 'NODE=fred');
    expect(compiled).toMatchObject({ exitCode: 0, stderr: '' });
    expect(compiled.stdout).toMatch(/^\{ok, demo, [0-9a-f]{12}\}\n$/);
    const undef = await project.make('call', 'CALL=demo.add(4, 5)', 'NODE=bambam');
    expect(undef).toEqual({
      exitCode: 1,
      stdout: 'bambam  undef: module demo is not loaded on node bambam\n',
      stderr: '',
    });

    const pushed = await project.make('push', 'MODULE=demo');
    expect(pushed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(pushed.stdout).toMatch(/^fred +loaded .*\nbambam +loaded .*\ndemo@[0-9a-f]{12} committed · 2 loaded /);
    expect(await project.make('call', 'CALL=demo.add(4, 5)')).toEqual({
      exitCode: 0,
      stdout: 'fred    9\nbambam  9\n',
      stderr: '',
    });
  });

  it('passes on a call with single and double quotes', async ({ project }) => {
    project.writeModule('echo', 'export const say = (text: string): string => text;\n');
    await project.make('push', 'MODULE=echo');
    const { stdout } = await project.make('call', `CALL=echo.say("it's a living")`, 'NODE=fred');
    expect(stdout).toBe(`"it's a living"\n`);
  });

  it('pushes the modules that an edit of a shared file has reached, which push and status name', async ({
    project,
  }) => {
    const helper = 'export function fail(): never {\n  throw new Error("no");\n}\n';
    project.writeModule('helper', helper);
    for (const name of ['one', 'two']) project.writeModule(name, `export { fail } from './helper';\n`);
    expect(await project.hotcast('push', 'one', 'two')).toMatchObject({ exitCode: 0 });

    project.writeModule('helper', `// It\n// fails.\n${helper}`);
    const { stdout } = await project.hotcast('push', 'one');
    expect(stdout).toMatch(
      /^one@[0-9a-f]{12} committed .*\nchanged sources are also in two \(modules\/helper\.ts\); /m,
    );
    const status = await project.hotcast('status');
    expect(status.exitCode).toBe(0);
    expect(status.stdout).toMatch(/^1 module has changed sources since its push: two \(modules\/helper\.ts\)$/m);

    const { stdout: affected } = await project.make('push', 'AFFECTED=1');
    expect(affected).toMatch(/^two@[0-9a-f]{12} committed · 2 loaded /m);
    const called = await project.hotcast('call', 'two.fail()', '--node', 'fred', '--stack');
    expect(called.stdout).toMatch(/two@[0-9a-f]{12} modules\/helper\.ts:4:\d+/);
  });

  it('runs hotcast and returns its exit status', async ({ project }) => {
    project.writeModule('thrower', `${THROWS_ON_NODES}export const x = 1;\n`);
    project.writeModule('typo', 'export const x = ;\n');
    const statuses = [
      await project.hotcast('push', 'demo'),
      await project.hotcast('push', 'thrower'),
      await project.hotcast('push', 'typo'),
    ].map(({ exitCode }) => exitCode);
    expect(statuses).toEqual([0, 1, 2]);
    expect(await project.hotcastWithOtherCookie('push', 'demo')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'hotcast: this controller does not have the cookie "other"; nothing was sent\n',
    });
  });

  it('leaves no process in the container when it is killed', async ({ project }) => {
    const client = project.startHotcast('nodes', '--wait', '99', '--timeout', '50m');
    const waiting = () => processesOf(project, 'nodes --wait 99');
    await expect.poll(waiting, { timeout: 30_000 }).toBeGreaterThan(0);
    client.kill('SIGKILL');
    await expect.poll(waiting, { timeout: 30_000 }).toBe(0);
  });

  it('looks up what came of a push whose controller was killed', async ({ project }) => {
    project.writeModule('lost', 'export const nothing = 1;\n');
    const controller = (await containersOf(project.name)).get('controller');
    if (controller === undefined) throw new TypeError('the controller is missing');
    // However long this takes, no node answers, and the controller writes no head.
    const nodes = await nodesOf(project.name);
    for (const node of nodes) await pause(node);
    try {
      const pushing = project.hotcast('push', 'lost', '--timeout', '60');
      await expect.poll(() => processesOf(project, 'push lost'), { timeout: 30_000 }).toBeGreaterThan(0);
      await controller.kill();
      await controller.start();
      const { exitCode, stdout, stderr } = await pushing;
      expect({ exitCode, stdout }).toEqual({
        exitCode: 2,
        stdout: expect.stringMatching(/^change \S+ wrote nothing; no node has changed\n$/) as string,
      });
      expect(stderr).toMatch(
        /^hotcast: the controller ended before the result; looking up what came of it \(change \S+\)$/m,
      );
    } finally {
      for (const node of nodes) await node.unpause();
    }
  });

  it('adds nodes, which load the pushed modules, and restarts no other node', async ({ project }) => {
    await project.make('push', 'MODULE=demo');
    const before = await project.nodes();
    const { exitCode } = await project.make('up', 'NODES=3');
    expect(exitCode).toBe(0);
    const after = await project.nodes();
    expect(after.map(({ node }) => node)).toEqual(['fred', 'bambam', 'betty']);
    const processes = after.map(({ node, container, ...rest }) => [node, container, 'pid' in rest && rest.startedAt]);
    expect(processes.slice(0, 2)).toEqual(
      before.map(({ node, container, ...rest }) => [node, container, 'pid' in rest && rest.startedAt]),
    );
    expect(await project.make('call', 'CALL=demo.add(4, 5)', 'NODE=betty')).toMatchObject({ stdout: '9\n' });
  });

  it('backs up into a file on this machine, and restores it', async ({ project }) => {
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-test-backup-'));
    const [file, withKeys] = [join(folder, 'hotcast.backup'), join(folder, 'keys.backup')];
    const call = async () => (await project.make('call', 'CALL=demo.add(4, 5)', 'NODE=betty')).stdout;
    try {
      expect(await project.make('backup', `FILE=${file}`)).toMatchObject({ exitCode: 0 });
      const passphrase = 'HOTCAST_PASSPHRASE=yabba dabba doo';
      expect(await project.make('backup', `FILE=${withKeys}`, 'KEYS=1', passphrase)).toMatchObject({ exitCode: 0 });
      project.writeModule('demo', 'export const add = (): number => 0;\n');
      expect(await project.make('push', 'MODULE=demo')).toMatchObject({ exitCode: 0 });
      expect(await call()).toBe('0\n');
      const before = await project.nodes();

      expect(await project.make('restore', `FILE=${file}`)).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('committed') as string,
      });
      expect(await call()).toBe('9\n');
      expect(await project.make('restore', `FILE=${withKeys}`, 'KEYS=1', passphrase)).toMatchObject({ exitCode: 0 });
      expect((await project.nodes()).map(({ container }) => container)).toEqual(
        before.map(({ container }) => container),
      );
      expect(await project.hotcast('restore', join(folder, 'none'))).toMatchObject({ exitCode: 2 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says with make up which node does not run what it should', async ({ project }) => {
    const containers = (await project.nodes()).map(({ container }) => container);
    const source = `
      import { existsSync, readFileSync } from 'node:fs';
      // The preflight has no file system.
      const node = existsSync('/etc/hostname') ? readFileSync('/etc/hostname', 'utf8').trim() : '';
      if (node !== '' && !${JSON.stringify(containers)}.includes(node)) throw new Error('only on older nodes');
      export const nothing = 1;
    `;
    project.writeModule('choosy', source);
    expect(await project.hotcast('push', 'choosy')).toMatchObject({ exitCode: 0 });
    const { exitCode, stdout, stderr } = await project.make('up', 'NODES=4');
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/choosy +.*refused: on_load_failure: Error: only on older nodes.*← wilma/);
    expect(stderr).toContain('setup: the nodes are up, but not all of them run what they should\n');
    expect(await project.hotcast('remove', 'choosy')).toMatchObject({ exitCode: 0 });
  });

  it('removes everything with make down', async ({ project }) => {
    expect(await resourcesOf(project.name)).not.toEqual([]);
    expect((await project.make('down')).exitCode).toBe(0);
    expect(await resourcesOf(project.name)).toEqual([]);
    expect(await project.hotcast('nodes')).toMatchObject({
      exitCode: 2,
      stderr: `hotcast: the controller of ${project.name} is not running; start the cluster with: make up\n`,
    });
  });
});
