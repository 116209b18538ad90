import { setImmediate as turn } from 'node:timers/promises';

import type { Bundle } from '../../../protocol/bundle.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { errorLine } from '../../../protocol/error-description.ts';
import type { PackageInstance, PackageSet } from '../../../protocol/packages.ts';
import { describeError } from '../../../shared/describe-error.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { ScopedResources } from '../sandbox/scoped-resources.ts';
import { createEvaluator, type Evaluator } from './evaluator.ts';
import type { RequestKind } from './exports-field.ts';
import type { ExternalPackages } from './external-packages.ts';
import { fetchPackages, type PackageSource } from './fetch-packages.ts';
import type { PackageRequire } from './file-record.ts';
import { Instance, type Location } from './instance.ts';
import { instanceAt, type PackageFolder } from './package-folder.ts';
import { requiredPackages } from './required-packages.ts';
import { EXTERNAL, type Root } from './resolver.ts';

/** How long nothing is removed after a change: a rollback can need what was used last (milliseconds). */
const COLLECT_AFTER_MS = 10_000;

/** The packages of a revision, ready to be required. */
export interface ReadySet {
  readonly hash: string;
  /** `require` for the code of a module. It does not find built-in modules of the version. */
  readonly requireFor: (module: string) => PackageRequire;
}

/** `ready`: `set` is null for a bundle without packages. `failed`: the reason, and one line with the details. */
export type Readiness =
  | { readonly status: 'ready'; readonly set: ReadySet | null }
  | { readonly status: 'failed'; readonly reason: FailureReason; readonly detail: string };

type FailureReason = 'nofile' | 'badfile' | 'on_load_failure' | 'system_limit';

interface PackagesDeps {
  readonly folder: PackageFolder;
  readonly external: ExternalPackages;
  readonly resources: ScopedResources;
  readonly log: Logger;
  /** Called with the errors of timers and listeners of packages. */
  readonly onError: (error: unknown) => void;
}

/** A set in memory. */
interface HeldSet extends ReadySet {
  readonly instances: ReadonlySet<Instance>;
  readonly roots: ReadonlyMap<string, Root>;
  /** The external packages, with the versions that they have to have. */
  readonly externals: NonNullable<PackageSet['externals']>;
}

/** The packages that the modules of a node share: each instance is fetched, written and evaluated once. */
export class Packages {
  readonly #folder: PackageFolder;
  readonly #external: ExternalPackages;
  readonly #log: Logger;
  /** By their ids. */
  readonly #instances = new Map<string, Instance>();
  /** By their hashes, the newest last. */
  readonly #sets = new Map<string, HeldSet>();
  readonly #evaluator: Evaluator;
  /** What fetches, writes, evaluates and removes happens one after the other. */
  #queue: Promise<unknown> = Promise.resolve();
  #opened: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor({ folder, external, resources, log, onError }: PackagesDeps) {
    this.#folder = folder;
    this.#external = external;
    this.#log = log;
    const locate = (file: string): Location | null => this.#locate(file);
    const undeclared = (name: string, by: Instance): Root | undefined => this.#undeclared(name, by);
    const resolveExternal = (specifier: string, kind: RequestKind): string => external.resolve(specifier, kind);
    const place = (instance: Instance): void => folder.placeNow(instance);
    this.#evaluator = createEvaluator({ locate, undeclared, resolveExternal, place, resources, log, onError });
  }

  /** What the files of a package have exported that were evaluated, of all its instances. */
  exportsOf(name: string): unknown[] {
    const instances = [...this.#instances.values()].filter(instance => instance.name === name);
    return instances.flatMap(({ records }) => [...records.values()].map(({ module }) => module.exports));
  }

  /** Whether the packages of a bundle are in memory, so that {@link prepare} has nothing to fetch. */
  has({ packages }: Pick<Bundle, 'packages'>): boolean {
    return packages === undefined || this.#sets.has(packages);
  }

  /**
   * Fetches the packages of a bundle that the node lacks, and evaluates those that the bundle's code requires, with turns of the
   * event loop between them. The set stays until a {@link collect} that does not name it.
   *
   * @throws Error when the stream can't be read.
   */
  async prepare(bundle: Pick<Bundle, 'module' | 'code' | 'packages'>, source: PackageSource): Promise<Readiness> {
    const { packages: hash } = bundle;
    if (hash === undefined) return { status: 'ready', set: null };
    return this.#enqueue(async () => {
      try {
        const set = this.#sets.get(hash) ?? (await this.#load(hash, source));
        if (set === null) return failed('nofile', 'the stream does not have its packages');
        const lack = this.#external.lacks(set.externals);
        if (lack !== null) return failed('nofile', lack);
        return (await this.#evaluate(bundle, set)) ?? { status: 'ready', set };
      } catch (error) {
        if (error instanceof DecodeError) return failed('badfile', error.message);
        if (!(error instanceof Error && 'syscall' in error && 'path' in error)) throw error;
        return failed('system_limit', `the packages could not be written to disk: ${error.message}`);
      }
    });
  }

  /** Removes what no set of `inUse` has, from memory and from disk, in a while. */
  collectLater(inUse: () => ReadonlySet<string>): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // Not before: each push and each call of this function would look at the disk.
      if (!this.#folder.exists()) return;
      this.collect(inUse).catch((error: unknown) => this.#log.warn({ err: error }, 'packages could not be removed'));
    }, COLLECT_AFTER_MS).unref();
  }

  /** Removes what no set of `inUse` has, from memory and from disk. */
  async collect(inUse: () => ReadonlySet<string>): Promise<void> {
    await this.#enqueue(async () => {
      await this.#open();
      // Who has just got a set compiles its module in this turn.
      await turn();
      const hashes = inUse();
      for (const hash of this.#sets.keys()) if (!hashes.has(hash)) this.#sets.delete(hash);
      const kept = new Set([...this.#sets.values()].flatMap(({ instances }) => [...instances]));
      for (const [id, instance] of this.#instances) {
        if (kept.has(instance)) continue;
        this.#instances.delete(id);
        void instance.globals?.lifetime.end();
      }
      await this.#folder.keepOnly(this.#instances, hashes);
    });
  }

  /** Ends the timers and listeners of all packages. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const { globals } of this.#instances.values()) void globals?.lifetime.end('stopped');
  }

  async #enqueue<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(job);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #open(): Promise<void> {
    this.#opened ??= this.#folder.open(this.#external.modules);
    try {
      await this.#opened;
    } catch (error) {
      this.#opened = null;
      throw error;
    }
  }

  /** The set of a hash, from disk or from the stream; null when neither has it. */
  async #load(hash: string, source: PackageSource): Promise<HeldSet | null> {
    await this.#open();
    const set = await fetchPackages(hash, this.#folder, source);
    if (set === null) return null;
    const held = this.#hold(hash, set);
    await this.#folder.place([...held.instances].filter(({ archive }) => archive.usesPlace));
    this.#sets.set(hash, held);
    return held;
  }

  #hold(hash: string, set: PackageSet): HeldSet {
    const instances = set.instances.map(each => this.#instanceOf(each));
    const at = (index: number): Instance => this.#instanceOf(instanceAt(set, index));
    set.instances.forEach(({ dependencies }, index) => {
      for (const [name, dependency] of Object.entries(dependencies))
        instances[index]?.dependencies.set(name, at(dependency));
    });
    const { externals = {} } = set;
    const roots = new Map<string, Root>(Object.keys(externals).map(name => [name, EXTERNAL]));
    for (const [name, index] of Object.entries(set.roots)) roots.set(name, at(index));
    const requireFor = (module: string): PackageRequire => this.#evaluator.requireFrom({ module, roots });
    return { hash, instances: new Set(instances), roots, externals, requireFor };
  }

  /** @throws DecodeError when it is not on disk */
  #instanceOf(instance: PackageInstance): Instance {
    const known = this.#instances.get(instance.id);
    if (known !== undefined) return known;
    const files = this.#folder.instance(instance);
    if (files === null) throw new DecodeError(`the package ${instance.name} is not on this node`);
    const created = new Instance(files);
    this.#instances.set(instance.id, created);
    return created;
  }

  /** Evaluates what a module's code requires. Returns why it can't be; null when it is. */
  async #evaluate({ module, code }: Pick<Bundle, 'module' | 'code'>, set: HeldSet): Promise<Readiness | null> {
    const require = set.requireFor(module);
    for (const { specifier, isImport } of requiredPackages(code)) {
      await turn();
      try {
        require(specifier);
      } catch (error) {
        // A module can try to require what it can do without.
        if (!isImport) continue;
        const thrower = this.#evaluator.throwerOf(error);
        const description = errorLine(describeError(error, () => null)).replaceAll(/\s*\n\s*/g, ' ');
        return failed(
          'on_load_failure',
          thrower === null ? description : `the package ${thrower} threw while it was loaded: ${description}`,
        );
      }
    }
    return null;
  }

  #locate(file: string): Location | null {
    const found = this.#folder.locate(file);
    const instance = found === null ? undefined : this.#instances.get(found.id);
    if (found === null || instance === undefined) return null;
    const named = found.name === instance.name ? instance : instance.dependencies.get(found.name);
    return named === undefined ? null : { instance: named, path: found.path };
  }

  /** What an instance requires that is external, or not declared, is what the newest module that uses the instance finds. */
  #undeclared(name: string, requiredBy: Instance): Root | undefined {
    const sets = [...this.#sets.values()].filter(({ instances }) => instances.has(requiredBy));
    return sets.findLast(({ roots }) => roots.has(name))?.roots.get(name);
  }
}

function failed(reason: FailureReason, detail: string): Readiness {
  return { status: 'failed', reason, detail };
}
