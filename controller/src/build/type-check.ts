import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

import type { API, Diagnostic as TypeScriptDiagnostic, Snapshot } from 'typescript/unstable/async';

import { HotcastError, UnavailableError } from '../../../protocol/errors.ts';
import { type Diagnostic, showDiagnostic } from '../api/diagnostic.ts';
import { changesBetween, sourceTimes, type SourceTimes } from './source-snapshot.ts';

/** Modules have type errors; `diagnostics` are for a program, the message shows file, line and caret. */
export class TypeCheckError extends HotcastError {
  readonly code = 'types';
  readonly diagnostics: readonly Diagnostic[];

  constructor(modules: readonly string[], diagnostics: readonly Diagnostic[]) {
    const what = diagnostics.length === 1 ? 'a type error' : `${diagnostics.length} type errors`;
    super(
      `${modules.join(' ')}: ${what}; nothing was sent (--no-check pushes all the same)\n` +
        diagnostics.map(showDiagnostic).join('\n'),
    );
    this.diagnostics = diagnostics;
  }
}

/** What a module's types are checked with where the modules folder has no tsconfig.json. */
const DEFAULTS = {
  target: 'esnext',
  lib: ['esnext'],
  module: 'preserve',
  moduleResolution: 'bundler',
  strict: true,
  allowImportingTsExtensions: true,
  resolveJsonModule: true,
};

/** The checker answers within this time, also when it has just been started (milliseconds). */
const ANSWERS_WITHIN = 30_000;

interface Session {
  readonly api: API;
  /** The folder of the configuration that the checker was given. */
  readonly folder: string;
  readonly config: string;
  times: SourceTimes;
  snapshot: Snapshot;
}

/**
 * Checks types with TypeScript's native compiler, which keeps the modules folder's program in a process of its own: a
 * check looks at what was changed since the one before. One check runs at a time.
 */
export class TypeCheck {
  readonly #modulesDir: string;
  readonly #appDir: string;
  #session: Session | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** In `appDir` are `node_modules/@types/node` and `@hotcast/types`, for a modules folder that brings no such types. */
  constructor(modulesDir: string, appDir: string) {
    this.#modulesDir = modulesDir;
    this.#appDir = appDir;
  }

  /** Has the program ready, so that the first check does not wait for it. */
  warm(): void {
    this.check(Promise.resolve([])).catch(() => undefined);
  }

  /**
   * The type errors of source files, which may be known only after the check has begun; those of other files are left
   * out.
   *
   * @throws UnavailableError when the checker does not answer.
   */
  async check(files: Promise<readonly string[]>): Promise<Diagnostic[]> {
    const checked = this.#last.then(() => within(ANSWERS_WITHIN, this.#check(files)));
    this.#last = checked.catch(() => undefined);
    try {
      return await checked;
    } catch (cause) {
      await files; // What can't be compiled is not the checker's fault.
      this.close();
      throw new UnavailableError('the type check failed; nothing was sent (--no-check pushes without)', { cause });
    }
  }

  /** Ends the checker's process; the next check starts it again. */
  close(): void {
    const session = this.#session;
    this.#session = null;
    if (session === null) return;
    rmSync(session.folder, { recursive: true, force: true });
    void session.api.close();
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
    // A program without files goes on saying so when it has some.
    if (session.times.size === 0 || all.some(path => path.endsWith('.json'))) {
      this.close();
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
    // Loaded by the long-lived process alone.
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
      await api.close();
      throw error;
    }
  }

  /** The user's configuration with what a check of this folder needs; strict defaults where there is none. */
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
    if (fileName === undefined || fileName === '') {
      return { text, file: null, line: 0, column: 0, source: '', length: 0 };
    }
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

async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
