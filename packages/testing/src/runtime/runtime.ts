import { join } from 'node:path';

import type { Bundle } from '../../../../protocol/bundle.ts';
import { call } from '../../../../node-image/src/modules/invoke.ts';
import type { Version } from '../../../../node-image/src/modules/version.ts';
import { hotImportsIn } from '../../../../shared/load-order.ts';
import { revisionOf, shortRevision } from '../../../../protocol/revision.ts';
import { decodeArguments, decodeValue } from '../../../../protocol/values/decode.ts';
import { encodeArguments } from '../../../../protocol/values/encode.ts';
import type { AnyModules } from '../api/modules.ts';
import type {
  FirstVersion,
  LoadedVersion,
  RuntimeLogLine,
  RuntimeOptions,
  TestRuntime,
  VersionSource,
} from '../api/runtime.ts';
import { callError } from '../call-error.ts';
import { modulesDirOfTest } from '../test-file.ts';
import { CompiledPackages } from './compiled-packages.ts';
import { exportsBundle } from './exports-bundle.ts';
import { ModuleLog } from './module-log.ts';
import { type Change, Node } from './node.ts';
import { VersionCompiler } from './version-compiler.ts';

type Exports = Record<string, unknown>;

/** The name of the node, in errors. */
const NODE_NAME = 'test';

/** See {@link TestRuntime}. */
export class Runtime implements TestRuntime {
  readonly #compiler: VersionCompiler;
  readonly #packages = new CompiledPackages();
  readonly #log: ModuleLog;
  readonly #node: Node;
  readonly #listeners = new Set<() => void>();
  /** Loads and swaps happen one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #repeats = 0;

  constructor({ modules = modulesDirOfTest(), print = true }: RuntimeOptions) {
    this.#compiler = new VersionCompiler(modules);
    this.#log = new ModuleLog(print);
    this.#node = new Node(this.#compiler, this.#packages, this.#log);
    this.#node.server.onChanged(() => this.#listeners.forEach(changed => changed()));
  }

  get log(): readonly RuntimeLogLine[] {
    return this.#log.lines;
  }

  async load(name: string, { data, ...source }: FirstVersion = {}): Promise<Exports> {
    return this.#oneAfterTheOther(async () => {
      const isLoaded = this.#node.server.current(name) !== null;
      if (isLoaded && data !== undefined) throw new TypeError(`${name} is loaded already: it has data`);
      if (isLoaded && Object.keys(source).length === 0) return this.#exportsOf(name);
      if (data !== undefined) await this.#leaveData(name, data);
      return this.#change(name, source);
    });
  }

  async swap(name: string, source: VersionSource = {}): Promise<Exports> {
    return this.#oneAfterTheOther(async () => {
      this.#currentOf(name);
      return this.#change(name, source);
    });
  }

  async remove(name: string): Promise<void> {
    return this.#oneAfterTheOther(async () => {
      this.#currentOf(name);
      await this.#node.change([{ module: name, bundle: null }]);
    });
  }

  async call(path: string, ...args: readonly unknown[]): Promise<unknown> {
    const [module = '', name = '', ...inner] = path.split('.');
    const request = { module, function: name, ...(inner.length === 0 ? {} : { path: inner }) };
    const copies = decodeArguments(encodeArguments(args));
    const answer = await call(this.#node.server, NODE_NAME, { ...request, args: copies });
    if (answer.status === 'error') throw callError(answer, { path });
    return decodeValue(answer.json);
  }

  data(name: string): Record<string, unknown> {
    return this.#currentOf(name).data;
  }

  versions(name: string): LoadedVersion[] {
    const { server } = this.#node;
    const current = server.current(name);
    const draining = server.describeDraining().filter(({ module }) => module === name);
    return [
      ...(current === null ? [] : [{ revision: shortRevision(current.revision), state: 'current' as const }]),
      ...draining.map(({ revision }) => ({ revision: shortRevision(revision), state: 'draining' as const })),
    ];
  }

  /** Has a function called each time that modules were loaded or removed. */
  onChanged(changed: () => void): void {
    this.#listeners.add(changed);
  }

  /** Maps the frames of modules in a stack to the files of their sources. */
  mapStack(stack: string): string {
    const mapped = this.#node.server.errors.mapPrinted(stack);
    return mapped.replaceAll(/\b[a-z][a-z0-9-]*@[0-9a-f]{12} (\S+:\d+:\d+)/g, (_, place: string) =>
      join(this.#compiler.root, place),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#node[Symbol.asyncDispose]();
    this.#compiler[Symbol.dispose]();
  }

  #exportsOf(name: string): Exports {
    return this.#node.server.liveExports(name);
  }

  #currentOf(name: string): Version {
    const current = this.#node.server.current(name);
    if (current === null) throw new TypeError(`${name} is not loaded: await load('${name}') first`);
    return current;
  }

  /** Loads a version, and before it the modules that it imports and that are not loaded. */
  async #change(name: string, source: VersionSource): Promise<Exports> {
    const changes = new Map<string, Change>();
    const add = async (module: string, from: VersionSource): Promise<void> => {
      const bundle = await this.#bundleOf(module, from);
      changes.set(module, { module, bundle });
      for (const imported of hotImportsIn(bundle.code)) {
        const isThere = changes.has(imported) || this.#node.server.current(imported) !== null;
        if (!isThere && this.#compiler.modules.includes(imported)) await add(imported, {});
      }
    };
    await add(name, source);
    await this.#node.change([...changes.values()]);
    return this.#exportsOf(name);
  }

  async #bundleOf(module: string, source: VersionSource): Promise<Bundle> {
    if (source.exports !== undefined) return exportsBundle(module, source.exports);
    const { bundle, packages } = await this.#compiler.compile(module, source);
    if (packages !== null) this.#packages.add(packages);
    const isSame = this.#node.server.current(module)?.revision === bundle.revision;
    return isSame ? this.#another(bundle) : bundle;
  }

  /** The same code as another revision: a node does nothing for the revision that it runs. */
  #another(bundle: Bundle): Bundle {
    this.#repeats += 1;
    const code = `${bundle.code}\n// ${this.#repeats}`;
    return { ...bundle, code, revision: revisionOf(code, bundle.mapHash, bundle.packages) };
  }

  /** Loads a version that does nothing but leave data. */
  async #leaveData(name: string, data: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#node.change([{ module: name, bundle: exportsBundle(name, {}) }]);
    Object.assign(this.#currentOf(name).data, data);
  }

  async #oneAfterTheOther<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** Starts a runtime for the modules of a folder. Nothing is loaded yet. */
export async function createRuntime<Modules = AnyModules>(options: RuntimeOptions = {}): Promise<TestRuntime<Modules>> {
  return new Runtime(options) as unknown as TestRuntime<Modules>;
}
