import type { Bundle } from '../../../../protocol/bundle.ts';
import { shortRevision } from '../../../../protocol/revision.ts';
import type { Logger } from '../../../../shared/logger.ts';
import type { ReadySet } from '../../packages/packages.ts';
import { compileVersion, type Prepared } from '../loader.ts';
import type { ModuleTable } from '../module-table.ts';

/** The maximum number of compiled revisions of a module that are kept: for a prepared revision and for rollbacks. */
const MAX_COMPILED = 4;

/** The revisions that a node has compiled and can load without their bundles. */
export class CompiledRevisions {
  readonly #modules: ModuleTable;
  readonly #log: Logger;

  constructor(modules: ModuleTable, log: Logger) {
    this.#modules = modules;
    this.#log = log;
  }

  has(module: string, revision: string): boolean {
    return this.#modules.get(module)?.compiled.has(revision) ?? false;
  }

  /** The modules that a revision imports as `hot:<module>`; none when it is not compiled. */
  importsOf(module: string, revision: string): readonly string[] {
    return this.#modules.get(module)?.compiled.get(revision)?.imports ?? [];
  }

  /** Compiles a bundle whose packages are ready, if it is not, and keeps it as the newest of its module. @throws SyntaxError */
  keep(bundle: Bundle, packages: ReadySet | null): void {
    const { compiled } = this.#modules.of(bundle.module);
    const prepared = compiled.get(bundle.revision) ?? this.#compile(bundle, packages);
    compiled.delete(bundle.revision);
    compiled.set(bundle.revision, prepared);
    for (const revision of compiled.keys()) {
      if (compiled.size > MAX_COMPILED) compiled.delete(revision);
    }
  }

  #compile(bundle: Bundle, packages: ReadySet | null): Prepared {
    const prepared = compileVersion(bundle, packages);
    if (prepared.script.cachedDataRejected === true) {
      const { module, revision } = bundle;
      this.#log.warn({ module, revision: shortRevision(revision) }, 'the code cache does not fit: compiled without it');
    }
    return prepared;
  }
}
