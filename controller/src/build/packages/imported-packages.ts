import { hash } from 'node:crypto';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';

import type { OnResolveArgs, OnResolveResult, Plugin, PluginBuild, ResolveResult } from 'esbuild';

import { type FoundPackage, packageNameOf, packageOf } from './package-folder.ts';
import type { PackagesView, PackedPackages } from './packages.ts';

/** A package, or a file of it, that compiled code requires. */
export interface PackageImport {
  /** As the code has it: `npm:hono/cors` for an import, `hono/cors` for a `require`. */
  readonly specifier: string;
  /** The real path of the file. */
  readonly file: string;
  /** The id of the package's instance. */
  readonly instance: string;
}

/** The packages of a compiled module, packed, and what its code requires of them. */
export interface UsedPackages extends PackedPackages {
  readonly imports: readonly PackageImport[];
}

/** The packages that a build leaves out of the code, for the node to load: those that are sent, and those of its image. */
export class ImportedPackages {
  /** By the names under which the code requires them. */
  readonly #roots = new Map<string, FoundPackage>();
  readonly #imports = new Map<string, { readonly root: string; readonly file: string }>();
  /** External packages that the code requires, by their real folders. */
  readonly #externals = new Map<string, FoundPackage & { readonly name: string }>();
  readonly #view: PackagesView;
  readonly #from: string;

  /** @param from the real folder whose packages keep their names. Others of the same name, which files elsewhere find, get one. */
  constructor(view: PackagesView, from: string) {
    this.#view = view;
    this.#from = from;
  }

  /** The paths of their package.json files. */
  get packageJsons(): string[] {
    return [...this.#roots.values(), ...this.#externals.values()].map(({ path }) => join(path, 'package.json'));
  }

  /** Packs them; null when there are none. @throws UsageError see {@link PackagesView} */
  async pack(module: string): Promise<UsedPackages | null> {
    if (this.#roots.size === 0 && this.#externals.size === 0) return null;
    const folders = [...this.#roots].map(([root, { folder }]) => [root, folder] as const);
    const externals = [...this.#externals.values()].map(
      ({ name, folder }) => [name, this.#view.versionIn(folder)] as const,
    );
    const packed = await this.#view.pack(module, new Map(folders), externals);
    const imports = [...this.#imports].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return {
      ...packed,
      imports: imports.map(([specifier, { root, file }]) => ({
        specifier,
        file,
        instance: packed.ids.get(root) ?? '',
      })),
    };
  }

  /** The plugin of the build. Workspace packages, which lie outside of `node_modules`, and TypeScript are bundled. */
  get plugin(): Plugin {
    return {
      name: 'packages',
      setup: esbuild => esbuild.onResolve({ filter: /^[^./]/ }, args => this.#resolve(esbuild, args)),
    };
  }

  async #resolve(esbuild: PluginBuild, args: OnResolveArgs): Promise<OnResolveResult | undefined> {
    const { path: specifier, kind, resolveDir, importer, namespace, pluginData, with: attributes } = args;
    const isText = attributes['type'] !== undefined && attributes['type'] !== 'json';
    if (
      pluginData === this ||
      isText ||
      kind === 'entry-point' ||
      isBuiltin(specifier) ||
      specifier.startsWith('hot:')
    ) {
      return undefined;
    }
    // esbuild knows the paths of tsconfig.json and the `imports` of package.json.
    const options = { kind, resolveDir, importer, namespace, with: attributes, pluginData: this };
    const resolved = await esbuild.resolve(specifier, options);
    const { errors, external, path: file, suffix, sideEffects } = resolved;
    const isImport = kind !== 'require-call' && kind !== 'require-resolve';
    if (this.#addExternal(specifier, resolveDir, resolved)) {
      return { path: isImport ? `npm:${specifier}` : specifier, external: true, sideEffects };
    }
    if (errors.length > 0 || external || resolved.namespace !== 'file' || suffix !== '') return undefined;
    const required = isPlain(file) ? this.#add(specifier, resolveDir, file, isImport) : null;
    if (required === null) return undefined;
    const path = isImport ? `npm:${required}` : required;
    this.#imports.set(path, { root: packageNameOf(required), file });
    return { path, external: true, sideEffects };
  }

  /** Whether an external package is meant. Its files need not be there: only the nodes' image has to have them. */
  #addExternal(specifier: string, from: string, { errors, path }: Pick<ResolveResult, 'errors' | 'path'>): boolean {
    const name = packageNameOf(specifier);
    const found = this.#view.isExternal(name) ? this.#view.find(name, from) : null;
    if (found === null || (errors.length === 0 && !path.startsWith(`${found.folder}/`))) return false;
    this.#externals.set(found.folder, { ...found, name });
    return true;
  }

  /** The specifier for the code; null when Node.js does not find the file under such a one. */
  #add(specifier: string, from: string, file: string, isImport: boolean): string | null {
    const name = packageNameOf(specifier);
    const found = packageOf(file);
    const installed = this.#view.find(name, from);
    if (found === null || installed === null || installed.folder !== found.folder) return null;
    const { folder } = installed;
    const root = this.#view.find(name, this.#from)?.folder === folder ? name : this.#aliasOf(name, folder);
    this.#roots.set(root, installed);
    const subpath = specifier.slice(name.length);
    // An import of a file has its ending, which esbuild and `require` do without.
    const isFile = isImport && subpath !== '' && !this.#view.hasExports(folder);
    return isFile ? `${root}/${found.path}` : root + subpath;
  }

  /** The same for the same folder of a project, in whatever order esbuild asks. */
  #aliasOf(name: string, folder: string): string {
    return `${name}__${hash('sha256', relative(this.#from, folder)).slice(0, 8)}`;
  }
}

/** Whether Node.js can load a file as it is. */
function isPlain(file: string): boolean {
  return /\.(?:[mc]?js|json|node)$/.test(file) || !/\.[^/]*$/.test(file);
}
