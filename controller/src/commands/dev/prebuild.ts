import type { Report } from '../../api/report.ts';
import type { Build, BuiltBundle } from '../../build/build.ts';
import type { CommandContext } from '../context.ts';
import { moduleOf } from './session.ts';

type Context = Pick<CommandContext, 'build' | 'sources' | 'availableModules'>;

/** A build that was begun before its push. `result`: null if it failed. */
interface Begun {
  readonly module: string;
  readonly said: readonly Report[];
  readonly result: Promise<readonly BuiltBundle[] | null>;
}

/**
 * Begins to build a module when it is saved, while the push waits for saves that belong to it. The push takes the result, if it is
 * for this module alone and its sources are still the same.
 */
export class Prebuild {
  readonly #context: Context;
  readonly #check: boolean;
  #begun: Begun | null = null;
  #isBuilding = false;

  /** @param check whether types are checked before the push. */
  constructor(context: Context, check: boolean) {
    this.#context = context;
    this.#check = check;
  }

  /** A file was saved. */
  start(path: string): void {
    const module = moduleOf(path);
    if (this.#begun !== null && this.#begun.module !== module) this.#begun = null;
    if (this.#isBuilding || !this.#context.availableModules().includes(module)) return;
    const said: Report[] = [];
    this.#isBuilding = true;
    const result = this.#context
      .build([module], this.#check, report => said.push(report))
      // The push builds it again, and says what is wrong.
      .catch(() => null)
      .finally(() => (this.#isBuilding = false));
    this.#begun = { module, said, result };
  }

  /** Builds modules as the context does. */
  readonly build: Build = async (modules, check, say) => {
    const begun = this.#begun;
    this.#begun = null;
    const [module] = modules;
    if (begun === null || modules.length > 1 || module !== begun.module || check !== this.#check) {
      return this.#context.build(modules, check, say);
    }
    const built = await begun.result;
    const isCurrent = built?.every(({ sources }) => this.#context.sources.changedAmong(sources).length === 0) === true;
    if (!isCurrent) return this.#context.build(modules, check, say);
    begun.said.forEach(say);
    return built;
  };
}
