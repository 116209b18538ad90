import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runInThisContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';

import { moduleResolve } from 'import-meta-resolve';

import type { Compiled } from '../../../../../controller/src/build/compile.ts';
import {
  archiveHashOf,
  decodeArchive,
  decodePackageSet,
  ES_MODULE_HEADER,
  type PackageSet,
} from '../../../../../protocol/packages.ts';

const CONDITIONS = new Set(['node', 'import', 'module-sync', 'node-addons']);

type Exports = Record<string, unknown>;

/** A file of a package that has been loaded. */
interface Loaded {
  exports: Exports;
  isEsModule: boolean;
}

/** A part of the node that is as small as it can be: it writes the packages of a module to a folder, and loads them. */
export class PackageNode implements Disposable {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'hotcast-packages-')));
  readonly #loaded = new Map<string, Loaded>();
  /** The files that were loaded, in order: `name/path`. */
  readonly files: string[] = [];

  /** Loads a compiled module with its packages. */
  async load({ bundle, packages }: Compiled): Promise<Exports> {
    if (packages !== null) await this.#write(packages);
    const from = join(this.#folder, 'sets', packages?.hash ?? 'none', 'index.js');
    const module = { exports: {} as Exports };
    this.#run(bundle.code, from, module, {});
    return module.exports;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }

  async #write({ hash, set: bytes, archives }: NonNullable<Compiled['packages']>): Promise<void> {
    const set: PackageSet = decodePackageSet(bytes, hash);
    const packed = new Map(await Promise.all(archives.map(async each => [each.hash, await each.packed()] as const)));
    const linkAll = (folder: string, links: Readonly<Record<string, number>>): void => {
      for (const [name, index] of Object.entries(links)) {
        const { id, name: target } = set.instances[index] ?? { id: '', name: '' };
        const path = join(folder, 'node_modules', name);
        mkdirSync(dirname(path), { recursive: true });
        if (!existsSync(path)) symlinkSync(join(this.#folder, 'instances', id, 'node_modules', target), path);
      }
    };
    for (const { id, name, archive, packedBytes, dependencies } of set.instances) {
      const folder = join(this.#folder, 'instances', id);
      const content = packed.get(archive) ?? Buffer.alloc(0);
      const unpacked = gunzipSync(content);
      if (content.length !== packedBytes || archiveHashOf(unpacked) !== archive)
        throw new Error(`${name}: another archive`);
      const { files, converted } = decodeArchive(unpacked);
      for (const [path, text] of files) write(join(folder, 'node_modules', name, path), text);
      for (const [path, text] of converted) write(join(folder, 'converted', path), text);
      linkAll(folder, dependencies);
    }
    linkAll(join(this.#folder, 'sets', hash), set.roots);
  }

  #run(code: string, file: string, module: { exports: Exports }, meta: object): void {
    const parameters = 'exports, require, module, __filename, __dirname, __hotcast_meta, __hotcast_import';
    const factory = runInThisContext(`(function (${parameters}) {${code}\n})`, { filename: file }) as (
      ...values: unknown[]
    ) => void;
    const require = (specifier: string): unknown =>
      specifier.startsWith('npm:') ? this.#import(specifier.slice(4), file)[0] : this.#require(specifier, file);
    const namespace = (specifier: string): unknown => this.#namespace(specifier, file);
    const own = Object.assign(require, { import: namespace, resolve: createRequire(file).resolve });
    const importCall = async (specifier: string): Promise<unknown> => namespace(specifier);
    factory.call(module.exports, module.exports, own, module, file, dirname(file), meta, importCall);
  }

  #require(specifier: string, from: string): unknown {
    return isBuiltin(specifier)
      ? createRequire(from)(specifier)
      : this.#file(createRequire(from).resolve(specifier)).exports;
  }

  /** The plain exports, and whether they are those of an ES module. */
  #import(specifier: string, from: string): [unknown, boolean] {
    if (isBuiltin(specifier)) return [createRequire(from)(specifier), false];
    const { exports, isEsModule } = this.#file(
      fileURLToPath(moduleResolve(specifier, pathToFileURL(from), CONDITIONS)),
    );
    return [exports, isEsModule];
  }

  #namespace(specifier: string, from: string): unknown {
    const [exports, isEsModule] = this.#import(specifier, from);
    return isEsModule ? exports : { __esModule: true, ...(exports as Exports), default: exports };
  }

  #file(linked: string): Loaded {
    const file = realpathSync(linked);
    const known = this.#loaded.get(file);
    if (known !== undefined) return known;
    const [, id = '', name = '', path = ''] =
      /instances\/([0-9a-f]+)\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.*)$/.exec(file) ?? [];
    if (name === '') throw new Error(`${file} is not in a package`);
    this.files.push(`${name}/${path}`);
    const converted = join(this.#folder, 'instances', id, 'converted', path);
    const text = readFileSync(existsSync(converted) ? converted : file, 'utf8');
    const module: Loaded = { exports: {}, isEsModule: text.startsWith(ES_MODULE_HEADER) };
    this.#loaded.set(file, module);
    if (file.endsWith('.json')) module.exports = JSON.parse(text) as Exports;
    else
      this.#run(text.replace(/^#!/, '//'), file, module, {
        url: pathToFileURL(file).href,
        filename: file,
        dirname: dirname(file),
      });
    return module;
  }
}

function write(path: string, content: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
