import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'vitest';

import { freePort } from '../free-port.ts';

const ROOT = join(import.meta.dirname, '../../..');
const UNPACKED = join(ROOT, '.cache/prometheus/usr/bin');

/** The folder with the configuration, the rules and the dashboard. */
export const MONITORING = join(ROOT, 'monitoring');

const program = (name: string): string => (existsSync(join(UNPACKED, name)) ? join(UNPACKED, name) : name);

/** Runs promtool in the folder of the rules. @returns what it printed; it throws when promtool finds a fault. */
export function promtool(args: readonly string[], input = ''): string {
  return execFileSync(program('promtool'), args, { cwd: MONITORING, encoding: 'utf8', input });
}

/** A Prometheus with the configuration of monitoring/, which scrapes one console each second. */
export class Prometheus implements AsyncDisposable {
  readonly #folder: string;
  readonly #url: string;
  readonly #stop: () => Promise<void>;

  private constructor(folder: string, url: string, stop: () => Promise<void>) {
    this.#folder = folder;
    this.#url = url;
    this.#stop = stop;
  }

  /** @param target the host and port of the console. */
  static async start(target: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-prometheus-'));
    cpSync(MONITORING, folder, { recursive: true });
    const config = readFileSync(join(folder, 'prometheus.yml'), 'utf8')
      .replace('console:8090', target)
      .replaceAll('10s', '1s');
    writeFileSync(join(folder, 'prometheus.yml'), config);
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      program('prometheus'),
      ['--config.file=prometheus.yml', `--storage.tsdb.path=${folder}/data`, `--web.listen-address=${address}`],
      { cwd: folder, stdio: 'ignore' },
    );
    const exited = once(child, 'exit');
    return new Prometheus(folder, `http://${address}`, async () => {
      child.kill('SIGTERM');
      await exited;
    });
  }

  /** The value of an expression, once it has the given one. */
  async shows(query: string, value: number): Promise<void> {
    const url = `${this.#url}/api/v1/query?query=${encodeURIComponent(query)}`;
    await expect
      .poll(
        async () => {
          const response = await fetch(url).catch(() => null);
          const answer = (await response?.json().catch(() => null)) as Answer | null | undefined;
          return answer?.data?.result[0]?.value[1];
        },
        { timeout: 30_000, message: query },
      )
      .toBe(String(value));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Answer {
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}
