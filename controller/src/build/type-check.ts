import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

import type { API, Diagnostic as TypeScriptDiagnostic, Snapshot } from 'typescript/unstable/async';

import { UnavailableError } from '../../../protocol/errors.ts';
import { orNullAfter, withTimeout } from '../../../shared/timeout.ts';
import { type Diagnostic, withoutPosition } from '../api/diagnostic.ts';
import { type Helper, HelperProcess } from './helper-process.ts';
import { changesBetween, sourceTimes, type SourceTimes } from './source-snapshot.ts';

/** The compiler options when the modules folder has no tsconfig.json. */
const DEFAULTS = {
  target: 'esnext',
  lib: ['esnext'],
  module: 'preserve',
  moduleResolution: 'bundler',
  strict: true,
  allowImportingTsExtensions: true,
  resolveJsonModule: true,
};

/** The timeout of one check, which can include the start of the checker. */
const CHECK_TIMEOUT_MS = 30_000;

/** The timeout for ending a checker: one that hangs does not answer then either. */
const CLOSE_TIMEOUT_MS = 2_000;

interface Session {
  readonly api: API;
  /** The temporary folder of the configuration. */
  readonly folder: string;
  readonly config: string;
  times: SourceTimes;
  snapshot: Snapshot;
}

/**
 * Checks types with TypeScript's native compiler. It keeps the program of the modules folder in a process of its own, so that
 * a check reads only the files that have changed since the last one. One check runs at a time. Disposing ends the process.
 */
export class TypeCheck implements AsyncDisposable, Helper {
  readonly #modulesDir: string;
  readonly #appDir: string;
  readonly #process = new HelperProcess('the type checker', () => this.#forget());
  #session: Session | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** @param appDir has `node_modules/@types/node` and `@hotcast/types`, for a modules folder without such types. */
  constructor(modulesDir: string, appDir: string) {
    this.#modulesDir = modulesDir;
    this.#appDir = appDir;
  }

  /** Starts the process and loads the program, so that the next check does not wait for it. */
  async start(): Promise<void> {
    if (this.#session === null) await this.check(Promise.resolve([]));
  }

  takeEnd(): string | null {
    return this.#process.takeEnd();
  }

  /**
   * Returns the type errors of source files, not those of other files.
   *
   * @param files a promise, so that the check starts while the files are still searched for.
   * @throws UnavailableError when the checker does not answer, or its process ends; what `files` is rejected with.
   */
  async check(files: Promise<readonly string[]>): Promise<Diagnostic[]> {
    const checked = this.#last.then(() =>
      withTimeout(
        CHECK_TIMEOUT_MS,
        this.#process.use(() => this.#check(files)),
      ),
    );
    this.#last = checked.catch(() => undefined);
    try {
      return await checked;
    } catch (cause) {
      // When the compilation failed, its error is the one to report.
      await files;
      await this.#close();
      if (cause instanceof UnavailableError) throw cause;
      throw new UnavailableError('the type check failed; nothing was sent (--no-check pushes without)', { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A check that runs can be starting the checker.
    await orNullAfter(CLOSE_TIMEOUT_MS, this.#last);
    await this.#close();
  }

  /** Ends the checker's process. The next check starts it again. */
  async #close(): Promise<void> {
    const session = this.#forget();
    if (session !== null) await orNullAfter(CLOSE_TIMEOUT_MS, session.api.close());
    // One that hangs does not end by itself.
    this.#process.kill();
  }

  #forget(): Session | null {
    const session = this.#session;
    this.#session = null;
    if (session !== null) rmSync(session.folder, { recursive: true, force: true });
    return session;
  }

  async #check(files: Promise<readonly string[]>): Promise<Diagnostic[]> {
    const { snapshot, config } = await this.#upToDate();
    const project = snapshot.getProject(config);
    if (project === undefined) throw new TypeError(`TypeScript did not open ${config}`);
    const { program } = project;
    const wanted = await files;
    const found = await Promise.all([
      program.getConfigFileParsingDiagnostics(),
      ...wanted.flatMap(file => [program.getSyntacticDiagnostics(file), program.getSemanticDiagnostics(file)]),
    ]);
    return found.flat().map(each => this.#diagnosticOf(each));
  }

  async #upToDate(): Promise<Session> {
    const times = sourceTimes(this.#modulesDir);
    const session = this.#session;
    if (session === null) return this.#open(times);
    const changes = changesBetween(session.times, times);
    const all = [...changes.changed, ...changes.created, ...changes.deleted];
    // TypeScript does not notice the first files of a program that had none.
    if (session.times.size === 0 || all.some(path => path.endsWith('.json'))) {
      await this.#close();
      return this.#open(times);
    }
    if (all.length === 0) return session;
    const before = session.snapshot;
    session.snapshot = await session.api.updateSnapshot({ fileChanges: changes });
    session.times = times;
    await before.dispose();
    return session;
  }

  async #open(times: SourceTimes): Promise<Session> {
    // Only the long-lived process loads it.
    const { API: Checker } = await import('typescript/unstable/async');
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-types-'));
    const config = join(folder, 'tsconfig.json');
    const api = new Checker({ cwd: this.#modulesDir });
    try {
      writeFileSync(config, JSON.stringify(await this.#configuration(api)));
      const snapshot = await api.updateSnapshot({ openProjects: [config] });
      this.#session = { api, folder, config, times, snapshot };
      return this.#session;
    } catch (error) {
      rmSync(folder, { recursive: true });
      await orNullAfter(CLOSE_TIMEOUT_MS, api.close());
      throw error;
    }
  }

  /** The user's configuration, or strict defaults, with the options that a check of this folder needs. */
  async #configuration(api: API): Promise<object> {
    const folder = this.#modulesDir;
    const users = join(folder, 'tsconfig.json');
    const hasUsers = existsSync(users);
    const options = hasUsers ? (await api.parseConfigFile(users)).options : {};
    const paths = {
      'hot:*': ['*.ts', '*/index.ts'].map(path => join(folder, path)),
      ...absolutePaths(options, folder),
    };
    const types = new Set(['node', '@hotcast/types', ...stringsOf(options['types'])]);
    const packages = [folder, dirname(folder), this.#appDir].map(each => join(each, 'node_modules'));
    const typeRoots = packages.flatMap(each => [join(each, '@types'), each]);
    const needs = {
      noEmit: true,
      composite: false,
      incremental: false,
      emitDeclarationOnly: false,
      skipLibCheck: true,
    };
    return {
      ...(hasUsers ? { extends: users } : {}),
      compilerOptions: { ...(hasUsers ? {} : DEFAULTS), ...needs, rootDir: '/', typeRoots, types: [...types], paths },
      include: [folder],
      exclude: [join(folder, 'node_modules')],
    };
  }

  #diagnosticOf(found: TypeScriptDiagnostic): Diagnostic {
    const { fileName, pos, end } = found;
    const text = textOf(found);
    if (fileName === undefined || fileName === '') return withoutPosition(text);
    const whole = readFileSync(fileName, 'utf8');
    const start = whole.lastIndexOf('\n', pos - 1) + 1;
    const source = /.*/.exec(whole.slice(start))?.[0] ?? '';
    return {
      text,
      file: relative(dirname(this.#modulesDir), fileName),
      line: whole.slice(0, start).split('\n').length,
      column: pos - start + 1,
      source,
      length: Math.max(1, Math.min(end, start + source.length) - pos),
    };
  }
}

function textOf({ code, text, messageChain = [] }: TypeScriptDiagnostic): string {
  const lines = (chain: readonly TypeScriptDiagnostic[], depth: number): string[] =>
    chain.flatMap(each => [`${'  '.repeat(depth)}${each.text}`, ...lines(each.messageChain ?? [], depth + 1)]);
  return [`${text} (TS${code})`, ...lines(messageChain, 1)].join('\n');
}

function absolutePaths(options: Record<string, unknown>, folder: string): Record<string, string[]> {
  const { paths = {}, pathsBasePath } = options;
  if (typeof paths !== 'object' || paths === null) return {};
  const base = typeof pathsBasePath === 'string' ? pathsBasePath : folder;
  return Object.fromEntries(
    Object.entries(paths).map(([name, targets]) => [
      name,
      stringsOf(targets).map(target => (isAbsolute(target) ? target : resolve(base, target))),
    ]),
  );
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : [];
}
