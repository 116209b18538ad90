import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';

import { type Authenticator, connect, errors, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';

import { runCli } from '../../../controller/src/cli/program.ts';
import { lineRunner } from '../../../controller/src/cli/relay/run-line.ts';
import { serveRelays } from '../../../controller/src/cli/relay/serve.ts';
import { createController } from '../../../controller/src/server/create-controller.ts';
import { createAuthCallout } from '../../../controller/src/services/auth-callout/create-auth-callout.ts';
import { namesFromDns } from '../../../controller/src/services/auth-callout/node-names.ts';
import { makeCertificate } from '../../../controller/src/services/keygen/certificate.ts';
import { ACCOUNTS_FILE } from '../../../controller/src/services/keygen/nats-accounts.ts';
import { createRosterService } from '../../../controller/src/services/roster/create-roster-service.ts';
import { rosterQuestions } from '../../../controller/src/services/roster/questions.ts';
import { staticRoster } from '../../../controller/src/services/roster/static.ts';
import { createNode } from '../../../node-image/src/create-node.ts';
import { ClusterKeys } from '../../../packages/testing/src/fleet/cluster-keys.ts';
import { inboxPrefix, nodeInbox } from '../../../protocol/inboxes.ts';
import type { GRANTED } from '../../../protocol/operators/operator.ts';
import { type Credentials, readCredentials } from '../../../protocol/operators/credentials.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { recordingLog } from '../../unit/fixtures.ts';
import { NatsServer } from '../console/nats-server.ts';
import { NatsCluster } from '../nats/nats-cluster.ts';
import { ROOT, run } from '../shell.ts';

/** The cookie of the stand. */
export const COOKIE = 'dino';

const NODES = ['fred', 'bambam'];

/** The command line of the host. */
const PROGRAM = join(ROOT, 'packages/hotcast/dist/hotcast.cjs');

/** What a command line has printed, and its exit status. */
export interface Printed {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface StandOptions {
  /** How many servers of NATS there are: one, or three with a common memory. */
  readonly servers?: 1 | 3;
  readonly tls?: boolean;
}

/**
 * A cluster in this process, without containers: NATS, and the real auth callout, controller, roster and two nodes. The controller
 * has no sources, and reaches NATS as all others do.
 */
export class OperatorStand implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'hotcast-operators-'));
  readonly keys = new ClusterKeys(join(this.folder, 'keys'));
  readonly log = recordingLog();
  readonly #socketPath = join(this.folder, 'controller.sock');
  readonly #started: AsyncDisposable[] = [];
  #server: NatsServer | NatsCluster | null = null;
  #controller: AsyncDisposable | null = null;

  readonly #servers: 1 | 3;
  readonly #tls: boolean;

  private constructor({ servers = 1, tls = true }: StandOptions) {
    this.#servers = servers;
    this.#tls = tls;
  }

  static async start(options: StandOptions = {}): Promise<OperatorStand> {
    const stand = new OperatorStand(options);
    try {
      await stand.#start();
    } catch (error) {
      await stand[Symbol.asyncDispose]();
      throw error;
    }
    return stand;
  }

  async #start(): Promise<void> {
    this.#useOldNames();
    if (this.#tls) this.keys.useTls(await makeCertificate(['localhost', '127.0.0.1']));
    this.keys.make(COOKIE);
    const accounts = readFileSync(join(this.keys.folder('nats'), ACCOUNTS_FILE), 'utf8');
    const here = accounts.replaceAll('/etc/nats/keys', this.keys.folder('nats'));
    this.#server = await (this.#servers === 1 ? NatsServer.start(here) : NatsCluster.start(here));
    this.#started.push(this.#server);
    await this.#startAuthCallout();
    const roster = staticRoster(NODES);
    const rosterNats = await this.connectAs('roster');
    const healthFile = join(this.folder, 'health-roster');
    this.#started.push(
      await createRosterService({
        nats: rosterNats,
        roster,
        questions: rosterQuestions(COOKIE, roster),
        healthFile,
        log: this.log,
      }),
    );
    const preflight = 'controller/src/build/preflight/child/main.ts';
    const bundled = await run('npm', ['run', 'bundle', '--', preflight, `--outfile=${this.#preflightScript}`], {});
    if (bundled.exitCode !== 0) throw new Error(bundled.stderr);
    mkdirSync(join(this.folder, 'none'));
    await this.startController();
    for (const [index, name] of NODES.entries()) await this.#startNode(name, index);
    await this.local('nodes', '--wait', String(NODES.length), '--timeout', '20');
  }

  /** A project on a laptop: its files, by their paths. */
  project(name: string, files: Readonly<Record<string, string>>): string {
    const folder = join(this.folder, name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return folder;
  }

  /** The preflight starts Node.js as the image has it. An older one on this machine has another name for the option. */
  #useOldNames(): void {
    const { execPath, versions } = process;
    if (Number.parseInt(versions.node, 10) >= 24) return;
    const program = join(this.folder, 'node');
    // The options of this process, a test's, are not for it.
    const rest = 'while [ "$1" != --permission ]; do shift; done; shift';
    const lines = ['#!/bin/bash', `[[ $* = *--permission* ]] || exec '${execPath}' "$@"`, rest];
    const script = [...lines, `exec '${execPath}' --experimental-permission "$@"`].join('\n');
    writeFileSync(program, script, { mode: 0o755 });
    process.execPath = program;
    this.#started.push({
      [Symbol.asyncDispose]: async () => {
        process.execPath = execPath;
      },
    });
  }

  get url(): string {
    const url = this.#server?.url ?? '';
    return this.#tls ? url.replaceAll('nats://127.0.0.1', 'tls://localhost') : url;
  }

  get #tlsOptions() {
    const { authority } = this.keys;
    return authority === null ? {} : { tls: { ca: authority } };
  }

  get #preflightScript(): string {
    return join(this.folder, 'preflight.mjs');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopController();
    for (const part of this.#started.splice(0).toReversed()) await part[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Connects with the key of a role. */
  connectAs(role: 'controller' | 'roster' | 'observer' | 'console'): Promise<NatsConnection> {
    return connect({
      servers: this.url.split(','),
      ...this.#tlsOptions,
      authenticator: this.keys.as(role, COOKIE),
      inboxPrefix: inboxPrefix(role),
    });
  }

  /** Connects with all permissions in the account of the cookie. */
  connectAsTester(prefix = '_INBOX.tester'): Promise<NatsConnection> {
    return connect({
      servers: this.url.split(','),
      ...this.#tlsOptions,
      authenticator: this.keys.tester,
      inboxPrefix: prefix,
    });
  }

  authenticatorOf({ seed }: Credentials): Authenticator {
    return nkeyAuthenticator(Buffer.from(seed));
  }

  /** Connects with any key, under any client name. Null: NATS does not admit it. */
  async tryToConnect(name: string, authenticator: Authenticator, prefix = '_INBOX.x'): Promise<NatsConnection | null> {
    try {
      return await connect({
        servers: this.url.split(','),
        ...this.#tlsOptions,
        name,
        authenticator,
        inboxPrefix: prefix,
        reconnect: false,
      });
    } catch (error) {
      if (error instanceof errors.AuthorizationError) return null;
      throw error;
    }
  }

  async startController(): Promise<void> {
    const nats = await this.connectAs('controller');
    this.#controller = await createController({
      config: {
        cookie: COOKIE,
        natsUrl: this.url,
        logLevel: 'info',
        keysDir: join(this.keys.folder('controller'), COOKIE),
        trustDir: join(this.keys.folder('trust'), COOKIE),
        socketPath: this.#socketPath,
        healthFile: join(this.folder, 'health-controller'),
        projectDir: '',
        modulesDir: join(this.folder, 'none'),
        packagesTimeoutMs: 120_000,
        auditFile: '',
        preflight: { timeoutMs: 5_000, memoryMb: 256 },
        streamMaxBytes: 2 ** 30,
        streamReplicas: 1,
        webhook: null,
        collector: null,
        moduleMaxBytes: 2 ** 30,
      },
      connect: () => Promise.resolve(nats),
      preflightScript: this.#preflightScript,
      typesDir: ROOT,
      serveCommandLine: log => serveRelays(this.#socketPath, log),
      runLine: lineRunner(this.#socketPath),
      log: this.log,
    });
  }

  async stopController(): Promise<void> {
    await this.#controller?.[Symbol.asyncDispose]();
    this.#controller = null;
  }

  /** Runs `hotcast …` as in the controller's container. */
  async local(...args: readonly string[]): Promise<Printed> {
    const output = { stdout: '', stderr: '' };
    const status = await runCli(args, {
      socketPath: this.#socketPath,
      author: 'wilma@quarry',
      terminal: {
        out: text => void (output.stdout += `${text}\n`),
        err: text => void (output.stderr += `${text}\n`),
        draw: null,
      },
    });
    return { status, ...output };
  }

  /** Adds an operator. */
  async add(name: string, may: readonly (typeof GRANTED)[number][], ...more: readonly string[]): Promise<Credentials> {
    const options = ['--may', may.join(','), '--url', this.url, ...more];
    const { stdout, stderr } = await this.local('operator', 'add', name, ...options);
    if (stdout === '') throw new Error(stderr);
    return readCredentials(stdout, 'the output');
  }

  /** The environment in which the command line of a laptop has these credentials as the context `prod`. */
  laptop(credentials: Credentials): Readonly<Record<string, string>> {
    const home = join(this.folder, `laptop-${credentials.name}`);
    mkdirSync(join(home, 'hotcast/contexts'), { recursive: true });
    writeFileSync(join(home, 'hotcast/contexts/prod.json'), JSON.stringify(credentials));
    return { XDG_CONFIG_HOME: home, HOTCAST_CONTEXT: 'prod' };
  }

  /** Runs the command line of a laptop. */
  async remote(credentials: Credentials, ...args: readonly string[]): Promise<Printed> {
    const { exitCode, stdout, stderr } = await run(process.execPath, [PROGRAM, ...args], this.laptop(credentials));
    return { status: exitCode, stdout, stderr };
  }

  /** Runs the command line of a laptop, and interrupts it when its command has written heads. */
  async interrupted(credentials: Credentials, ...args: readonly string[]): Promise<Printed> {
    await using nats = await this.connectAsTester();
    const head = nats.subscribe(subjectsOf(COOKIE).heads, { max: 1 });
    await nats.flush();
    const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, ...this.laptop(credentials) } });
    const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
    for await (const _ of head) child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number | null];
    return { status: code ?? -1, stdout: await stdout, stderr: await stderr };
  }

  async #startAuthCallout(): Promise<void> {
    const keysDir = this.keys.folder('auth-callout');
    const nats = await connect({
      servers: this.url.split(','),
      ...this.#tlsOptions,
      authenticator: this.keys.authCallout,
      inboxPrefix: inboxPrefix('auth-callout'),
    });
    const nameNode = namesFromDns('hotcast');
    const healthFile = join(this.folder, 'health-auth-callout');
    this.#started.push(createAuthCallout({ nats, keysDir, nameNode, healthFile, log: this.log }));
  }

  async #startNode(name: string, index: number): Promise<void> {
    const nats = await this.connectAsTester(nodeInbox(name));
    const node = await createNode({
      nats,
      identity: { name, container: `${index}`.repeat(12) },
      log: this.log,
      watchdogScript: new URL('data:text/javascript,setInterval(() => {}, 1_000)'),
      cookie: COOKIE,
      trustDir: join(this.keys.folder('trust'), COOKIE),
      healthFile: join(this.folder, `health-${name}`),
      stateDir: join(this.folder, `state-${name}`),
      externalDir: join(this.folder, 'external'),
      httpPort: 0,
      metricsPort: 0,
      purgeTimeoutMs: 3_000,
      codeChangeTimeoutMs: 500,
      maxDrainingVersions: 8,
      maxDrainingMemoryPercent: 70,
      stopTimeoutMs: 500,
      eventLoopTimeoutMs: 30_000,
      memoryLimitMb: 4_096,
      logMaxCharsPerSecond: 100_000,
    });
    this.#started.push(node);
  }
}
