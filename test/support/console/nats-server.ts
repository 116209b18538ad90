import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../free-port.ts';

/** Where the program is in NATS's own image, and in the stand-in of setup/offline. */
const PATHS = ['/usr/local/bin/nats-server', '/usr/sbin/nats-server'];

/** The program of the NATS image, which runs on its own too. */
function program(): string {
  const folder = join(import.meta.dirname, '../../../.cache/console');
  const file = join(folder, 'nats-server');
  if (existsSync(file)) return file;
  // Another process can look for it while it is copied.
  const copy = `${file}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  const image = process.env['NATS_IMAGE'] ?? 'nats:2.15-alpine';
  const container = execFileSync('docker', ['create', image, 'true'], { encoding: 'utf8' }).trim();
  try {
    const found = PATHS.some(path => {
      try {
        execFileSync('docker', ['cp', `${container}:${path}`, copy], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    });
    if (!found) throw new Error(`no nats-server is in ${image}`);
  } finally {
    execFileSync('docker', ['rm', container], { stdio: 'ignore' });
  }
  renameSync(copy, file);
  return file;
}

/** A NATS server of this process's own, which can go and come back on the same port, with its stream. */
export class NatsServer implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hotcast-console-nats-'));
  readonly port: number;
  #stop: (() => Promise<void>) | null = null;

  private constructor(port: number, accounts: string, more: readonly string[], hasStream: boolean) {
    this.port = port;
    const config = [
      `listen: 127.0.0.1:${port}`,
      'max_payload: 8MB',
      'max_subscriptions: 1024',
      ...(hasStream ? [`jetstream { store_dir: "${join(this.#folder, 'data')}" }`] : []),
      `include "accounts.conf"`,
      ...more,
    ];
    writeFileSync(join(this.#folder, 'nats.conf'), `${config.join('\n')}\n`);
    writeFileSync(join(this.#folder, 'accounts.conf'), accounts);
  }

  /**
   * @param accounts the text of the accounts, as keygen writes it.
   * @param more lines for the configuration.
   * @param hasStream whether it has JetStream.
   */
  static async start(accounts: string, more: readonly string[] = [], hasStream = true): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), accounts, more, hasStream);
    await server.resume();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts it again. */
  async resume(): Promise<void> {
    const child = spawn(program(), ['-c', join(this.#folder, 'nats.conf')], { stdio: 'ignore' });
    const exited = once(child, 'exit');
    this.#stop = async () => {
      child.kill('SIGTERM');
      await exited;
    };
    for (;;) {
      const socket = connectTo(this.port, '127.0.0.1');
      const isUp = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'error').then(() => false),
      ]).catch(() => false);
      socket.destroy();
      if (isUp) return;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }

  /** Stops it, as a cut does. */
  async stop(): Promise<void> {
    await this.#stop?.();
    this.#stop = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
