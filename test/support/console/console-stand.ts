import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Console, createConsole } from '../../../controller/src/services/console/create-console.ts';
import { ACCOUNTS_FILE } from '../../../controller/src/services/keygen/nats-accounts.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';
import type { Logger } from '../../../shared/logger.ts';
import { openConnection } from '../../../shared/nats/connection.ts';
import { ClusterKeys } from '../../../packages/testing/src/fleet/cluster-keys.ts';
import { NatsServer } from './nats-server.ts';
import { SimulatedFleet } from './simulated-fleet.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SOURCES = join(ROOT, 'controller/src/services/console');
const COOKIE = 'dino';

const SILENT: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

let script: string | null = null;

/** The script of the page, as the image has it. */
function clientScript(): string {
  const esbuild = join(ROOT, 'node_modules/.bin/esbuild');
  const args = [join(SOURCES, 'client/main.ts'), '--bundle', '--format=esm', '--target=es2022', '--log-level=warning'];
  return (script ??= execFileSync(esbuild, args, { cwd: ROOT, encoding: 'utf8' }));
}

/** A console in this process, with its own NATS key, a real NATS and a simulated fleet. */
export class ConsoleStand implements AsyncDisposable {
  readonly #folder: string;
  readonly #keys: ClusterKeys;
  readonly nats: NatsServer;
  readonly fleet: SimulatedFleet;
  #console: Console;

  private constructor(folder: string, keys: ClusterKeys, nats: NatsServer, fleet: SimulatedFleet, started: Console) {
    this.#folder = folder;
    this.#keys = keys;
    this.nats = nats;
    this.fleet = fleet;
    this.#console = started;
  }

  static async start(): Promise<ConsoleStand> {
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-console-'));
    const keys = new ClusterKeys(join(folder, 'keys'));
    keys.make(COOKIE);
    const nats = await NatsServer.start(
      readFileSync(join(keys.folder('nats'), ACCOUNTS_FILE), 'utf8').replace(/"tls":.*?},/s, ''),
    );
    const fleet = await SimulatedFleet.start(nats, keys, COOKIE);
    const started = await startConsole(folder, keys, nats, 0);
    return new ConsoleStand(folder, keys, nats, fleet, started);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#console.port}`;
  }

  /** Ends the console, and starts it again on the same port. */
  async restart(whileDown: () => Promise<void> = async () => undefined): Promise<void> {
    const { port } = this.#console;
    await this.#console[Symbol.asyncDispose]();
    await whileDown();
    this.#console = await startConsole(this.#folder, this.#keys, this.nats, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#console[Symbol.asyncDispose]();
    await this.fleet[Symbol.asyncDispose]();
    await this.nats[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function startConsole(folder: string, keys: ClusterKeys, nats: NatsServer, port: number): Promise<Console> {
  const keysDir = join(keys.folder('console'), COOKIE);
  const started = await createConsole({
    config: {
      cookie: COOKIE,
      trustDir: join(keys.folder('trust'), COOKIE),
      healthFile: join(folder, 'alive'),
      port,
      hosts: ['127.0.0.1', 'localhost'],
    },
    connect: () =>
      openConnection(
        { natsUrl: nats.url, keysDir },
        { name: 'hotcast-console', inboxPrefix: inboxPrefix('console') },
        SILENT,
      ),
    assets: { script: clientScript(), style: readFileSync(join(SOURCES, 'console.css'), 'utf8') },
    log: SILENT,
  });
  await started.ready;
  return started;
}
