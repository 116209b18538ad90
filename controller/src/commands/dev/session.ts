import { UsageError } from '../../../../protocol/errors.ts';
import { SourceError } from '../../api/diagnostic.ts';
import type { Client, Saved } from '../../api/report.ts';
import type { PushResult } from '../../api/results.ts';
import { PreflightError } from '../../build/preflight/preflight-error.ts';

/** With these, nothing was decided about the sources: they are pushed again. */
export const UNDECIDED: ReadonlySet<string> = new Set(['unanswered', 'overtaken']);

/** What is wrong with a module that nodes can't load. */
const REFUSED = 'nodes refused it';

/** What came of one push: its result and when the last node had answered (milliseconds since 1970), or why nothing was sent. */
type Outcome =
  | { readonly status: 'pushed'; readonly result: PushResult; readonly answeredAt: number }
  | { readonly status: 'broken'; readonly message: string }
  | { readonly status: 'again'; readonly message: string };

export interface SessionDeps {
  /**
   * The modules whose sources are not those that were pushed.
   *
   * @param saved what was saved since the start: of these, also the modules that were never pushed.
   */
  readonly wanted: (saved: ReadonlySet<string>) => Promise<readonly string[]>;
  /** Pushes modules together. @throws UsageError, SourceError and PreflightError before anything was sent. */
  readonly push: (modules: readonly string[]) => Promise<PushResult>;
  /** Checks the types of modules that run. @throws SourceError. Null: each push checks them. */
  readonly checkTypes: ((modules: readonly string[]) => Promise<unknown>) | null;
  readonly report: Client['report'];
  readonly signal: Client['signal'];
}

/** Pushes what is saved, and remembers what is wrong until it is repaired. */
export class Session {
  readonly #deps: SessionDeps;
  /** The modules that were saved since the start. One that was never pushed is pushed from then on. */
  readonly #saved = new Set<string>();
  /** What was saved last. */
  #last: readonly string[] = [];
  /** What is wrong with modules whose sources are not on the nodes. */
  readonly #broken = new Map<string, string>();
  /** What is wrong with modules whose sources were sent: type errors, or that nodes refused them at last. */
  readonly #noted = new Map<string, string>();
  /** The modules that run and whose types are not checked yet. */
  readonly #unchecked = new Set<string>();
  #isChecking = false;
  /** Why the last push reached nobody; it is told once. */
  #hindrance: string | null = null;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  /** Pushes what has changed. Returns whether it was decided for all of it. */
  async push(paths: ReadonlySet<string>, at: number): Promise<boolean> {
    if (paths.size > 0) this.#last = [...new Set([...paths].map(moduleOf))];
    const saved = this.#last;
    for (const module of saved) this.#saved.add(module);
    const wanted = await this.#deps.wanted(this.#saved);
    const repaired = [...this.#broken.keys()].filter(module => !wanted.includes(module));
    for (const module of repaired) this.#broken.delete(module);
    const say = (problem: string | null, result: PushResult | null, of: readonly string[], until?: number): void => {
      const own = saved.filter(module => of.includes(module));
      // Another look can find a save before it is told of.
      this.#say(at, { saved: own.length === 0 && of.length === 1 ? of : own, result, problem }, of, until);
    };
    if (wanted.length === 0) {
      if (repaired.length > 0) say(null, null, repaired);
      return true;
    }
    const together = await this.#try(wanted);
    const isTogether = !isRefused(together) || wanted.length === 1;
    let isDecided = true;
    for (const modules of isTogether ? [wanted] : wanted.map(module => [module])) {
      const outcome = isTogether ? together : await this.#try(modules);
      isDecided &&= outcome.status !== 'again';
      const isTold = outcome.status === 'again' && outcome.message === this.#hindrance;
      this.#hindrance = outcome.status === 'again' ? outcome.message : null;
      const known = modules.map(module => this.#broken.get(module));
      for (const module of modules) this.#broken.delete(module);
      // A module that nobody has touched is broken as before, which is said below the lines of the others.
      const isSaved = paths.size > 0 && modules.some(module => saved.includes(module));
      if (outcome.status === 'broken') {
        const line = firstLine(outcome.message);
        for (const module of modules) this.#broken.set(module, line);
        if (isSaved || known[0] !== line) say(outcome.message, null, modules);
      } else if (outcome.status === 'again') {
        if (!isTold) say(outcome.message, null, modules);
      } else {
        this.#note(outcome.result);
        const isKnown = isRefused(outcome) && !isSaved && known[0] === REFUSED;
        if (outcome.result.outcome !== 'unchanged' && !isKnown) say(null, outcome.result, modules, outcome.answeredAt);
      }
    }
    return isDecided;
  }

  async #try(modules: readonly string[]): Promise<Outcome> {
    const startedAt = Date.now();
    try {
      const result = await this.#deps.push(modules);
      if (UNDECIDED.has(result.outcome)) return { status: 'again', message: result.detail };
      const { compile, prepare, write, commit } = result.times;
      return { status: 'pushed', result, answeredAt: startedAt + Math.round(compile + prepare + write + commit) };
    } catch (error) {
      this.#deps.signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      return { status: isOfSources(error) ? 'broken' : 'again', message };
    }
  }

  /** Remembers what came of modules that were sent. */
  #note({ modules, outcome }: PushResult): void {
    for (const { module } of modules) {
      this.#noted.delete(module);
      if (outcome === 'refused') this.#broken.set(module, REFUSED);
      if (outcome === 'reverted') this.#noted.set(module, 'nodes refused it, and all went back');
      if (outcome === 'committed' && this.#deps.checkTypes !== null) this.#unchecked.add(module);
    }
    void this.#checkTypes();
  }

  /** Checks the types of what is live, beside the pushes. */
  async #checkTypes(): Promise<void> {
    const { checkTypes, signal } = this.#deps;
    if (this.#isChecking || checkTypes === null) return;
    this.#isChecking = true;
    while (this.#unchecked.size > 0 && !signal.aborted) {
      const at = Date.now();
      const modules = [...this.#unchecked];
      this.#unchecked.clear();
      // A module that does not compile any more was saved meanwhile; its own push says so.
      const error = await checkTypes(modules).catch((cause: unknown) => cause);
      if (!(error instanceof SourceError) || error.code !== 'types') continue;
      for (const module of modules) this.#noted.set(module, firstLine(error.message));
      const [summary = '', ...places] = error.message.split('\n');
      const problem = [`${summary.split(';', 1)[0]}; it is live all the same`, ...places].join('\n');
      this.#say(at, { saved: modules, result: null, problem }, modules);
    }
    this.#isChecking = false;
  }

  /** Tells of a save, and of everything else that is wrong. */
  #say(
    at: number,
    what: Pick<Saved, 'saved' | 'result' | 'problem'>,
    of: readonly string[],
    until: number = Date.now(),
  ): void {
    const wrong = [...this.#broken, ...this.#noted].filter(([module]) => !of.includes(module));
    const broken = wrong.map(([module, line]) => `${module}: ${line}`);
    this.#deps.report({ type: 'saved', at, ms: Math.max(0, until - at), ...what, broken });
  }
}

/** Whether nothing was changed because of the sources: they do not compile, or nodes can't load them. */
function isRefused(outcome: Outcome): boolean {
  return outcome.status === 'broken' || (outcome.status === 'pushed' && outcome.result.outcome === 'refused');
}

/** Whether a push failed because of its sources: it fails again until they are saved. */
export function isOfSources(error: unknown): boolean {
  return error instanceof SourceError || error instanceof PreflightError || error instanceof UsageError;
}

/** `demo` for `demo.ts`, `shop` for `shop/index.ts`. */
export function moduleOf(path: string): string {
  return (path.split(/[/\\]/, 1)[0] ?? '').replace(/\.[^.]+$/, '');
}

/** The place and the reason of the first error, without the source code. */
function firstLine(message: string): string {
  const [summary = '', ...places] = message.split('\n');
  return [summary, ...places].find(line => /:\d+:\d+: /.test(line)) ?? summary;
}
