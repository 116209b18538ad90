import { describeError, type ErrorDescription, mapStack, scriptIn } from '../../../shared/stack-trace.ts';
import { currentScript } from '../sandbox/execution-context.ts';
import type { ModuleTable } from './module-table.ts';
import type { Version } from './version.ts';

/** Describes the errors of modules, and counts those that nobody catches against their versions. */
export class ModuleErrors {
  readonly #modules: ModuleTable;

  constructor(modules: ModuleTable) {
    this.#modules = modules;
  }

  /** Describes what was thrown. Positions in its stack are those of the modules' source files. */
  describe(thrown: unknown): ErrorDescription {
    return describeError(thrown, script => this.#modules.bundleOf(script));
  }

  /** Maps `demo@3f2a9c81b0d4:4:9` to the source: `modules/demo.ts:4:9`; null when it is not known. */
  sourcePosition(position: string): string | null {
    return mapStack(position, script => this.#modules.bundleOf(script)).split(' ')[1] ?? null;
  }

  /** Counts and logs an error of a version. */
  count(version: Version, error: unknown): void {
    version.errors += 1;
    version.log.error(() => this.describe(error));
  }

  /**
   * Counts an uncaught error against the version whose code is in its stack, or else against the version that started the
   * code that threw. Returns false when there is no such version.
   */
  countUncaught(error: unknown): boolean {
    const version = this.#modules.versionOf(scriptIn(error) ?? currentScript());
    if (version !== null) this.count(version, error);
    return version !== null;
  }
}
