import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { ROOT } from '../support/shell.ts';

const PACKED = join(ROOT, '.cache/packages');

/** What package.json says; the registry adds where the tarball is. */
interface Packed {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly content: object;
}

/** An npm registry on this machine, which has the packages that `make pack` has packed. The others come from the configured one. */
export class Registry implements AsyncDisposable {
  readonly #packages = packed();
  readonly #server: Server;
  readonly #others = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim().replace(/\/$/, '');

  private constructor() {
    this.#server = createServer(({ url = '/' }, response) => {
      const path = decodeURIComponent(url);
      const found = this.#packages.find(({ name, file }) => path === `/${name}` || path === `/-/${file}`);
      if (found === undefined) response.writeHead(302, { location: this.#others + url }).end();
      else if (path === `/${found.name}`) response.end(JSON.stringify(this.#document(found)));
      else response.end(readFileSync(join(PACKED, found.file)));
    });
  }

  static async start(): Promise<Registry> {
    const registry = new Registry();
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(done => this.#server.close(done));
  }

  #document({ name, version, file, content }: Packed): object {
    const integrity = `sha512-${createHash('sha512')
      .update(readFileSync(join(PACKED, file)))
      .digest('base64')}`;
    const dist = { tarball: `${this.url}/-/${file}`, integrity };
    return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...content, dist } } };
  }
}

/** @throws Error when there are no packages. */
function packed(): Packed[] {
  const files = readdirSync(PACKED).filter(file => file.endsWith('.tgz'));
  if (files.length === 0) throw new Error(`there are no packages in ${PACKED}: make pack`);
  return files.map(file => {
    const text = execFileSync('tar', [
      '--extract',
      '--to-stdout',
      '--file',
      join(PACKED, file),
      'package/package.json',
    ]);
    const content = JSON.parse(text.toString()) as Pick<Packed, 'name' | 'version'>;
    return { name: content.name, version: content.version, file, content };
  });
}
