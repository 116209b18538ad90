import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';

import type { API, Diagnostic as TypeScriptDiagnostic, Snapshot } from 'typescript/unstable/async';
import type { FileSystem } from 'typescript/unstable/fs';

import { UnavailableError } from '../../../protocol/errors.ts';
import { orNullAfter, withTimeout } from '../../../shared/timeout.ts';
import { type Diagnostic, withoutPosition } from '../api/diagnostic.ts';
import { type Helper, HelperProcess } from './helper-process.ts';
import { installedPackages } from './installed-packages.ts';
import { findTsconfig } from './language/tsconfig.ts';
import { foldersUpTo, isInPackage } from './sources/source-file.ts';
import { SourceFiles } from './sources/source-files.ts';
import type { SourceSnapshot } from './sources/source-snapshot.ts';
import { checkConfig, isAmbient } from './type-check-config.ts';

/** The timeout of one step: the start of the checker, or the check of a few files, for which it reads the types of packages. */
const STEP_TIMEOUT_MS = 60_000;

/** The timeout for ending a checker: one that hangs does not answer then either. */
const CLOSE_TIMEOUT_MS = 2_000;

/** How many files are checked before the memory of the checker is measured. */
const GROUP_SIZE = 8;

/** A checker that has taken more memory is started again: it keeps the types of all packages that it has seen. */
const MAX_MEMORY_MB = 300;

interface Session {
  readonly api: API;
  /** The temporary folder of the configuration. */
  readonly folder: string;
  readonly config: string;
  /** What the configuration has beside its files. */
  readonly base: object;
  /** The files that the program begins with: those that were checked, and those that others see without an import. */
  readonly roots: Set<string>;
  /** The files that the checker has asked for, with their hashes. */
  readonly known: Map<string, string>;
  /** What was installed when it was opened, see {@link installedPackages}. */
  readonly packages: string;
  snapshot: Snapshot;
}

/**
 * Checks types with TypeScript's native compiler. It keeps a program of the files that were checked in a process of its own, so
 * that a check reads only what is new or has changed since the last one. It sees the sources of a snapshot. One check runs at a
 * time. Disposing ends the process.
 */
export class TypeCheck implements AsyncDisposable, Helper {
  readonly #modulesDir: string;
  readonly #appDir: string;
  readonly #sources: SourceFiles;
  readonly #maxMemoryMb: number;
  readonly #process = new HelperProcess('the type checker', () => this.#forget());
  #session: Session | null = null;
  /** The sources of the last check that has begun. */
  #snapshot: SourceSnapshot | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** @param appDir has `node_modules/@types/node` and `@hotcast/types`, for a modules folder without such types. */
  constructor(modulesDir: string, appDir: string, sources = new SourceFiles(modulesDir), maxMemoryMb = MAX_MEMORY_MB) {
    this.#maxMemoryMb = maxMemoryMb;
    this.#modulesDir = modulesDir;
    this.#appDir = appDir;
    this.#sources = sources;
  }

  /** Starts the process and loads the types that all modules have, so that the next check does not wait for them. */
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
   * @param snapshot the sources to check, with a listing: as they are now, if it is left out.
   * @throws UnavailableError when the checker does not answer, or its process ends; what `files` is rejected with.
   */
  async check(files: Promise<readonly string[]>, snapshot?: SourceSnapshot): Promise<Diagnostic[]> {
    const checked = this.#last.then(async () => {
      const sources = snapshot ?? (await this.#sources.take(true));
      this.#snapshot = sources;
      return this.#check(files, sources);
    });
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
    this.#process.stop();
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

  async #check(files: Promise<readonly string[]>, sources: SourceSnapshot): Promise<Diagnostic[]> {
    // While the files are still searched for.
    await this.#step(() => this.#upToDate(sources, []));
    const wanted = await files;
    const found: TypeScriptDiagnostic[] = [];
    for (let at = 0; at < wanted.length; at += GROUP_SIZE) {
      const group = wanted.slice(at, at + GROUP_SIZE);
      found.push(...(await this.#step(() => this.#checkTogether(group, sources, at === 0))));
      if (this.#process.memoryMb > this.#maxMemoryMb) await this.#close();
    }
    return found.map(each => this.#diagnosticOf(each, sources));
  }

  #step<T>(work: () => Promise<T>): Promise<T> {
    return withTimeout(STEP_TIMEOUT_MS, this.#process.use(work));
  }

  async #checkTogether(
    files: readonly string[],
    sources: SourceSnapshot,
    isFirst: boolean,
  ): Promise<TypeScriptDiagnostic[]> {
    const { snapshot, config } = await this.#upToDate(sources, files);
    const project = snapshot.getProject(config);
    if (project === undefined) throw new TypeError(`TypeScript did not open ${config}`);
    const { program } = project;
    const found = await Promise.all([
      isFirst ? program.getConfigFileParsingDiagnostics() : [],
      ...files.flatMap(file => [program.getSyntacticDiagnostics(file), program.getSemanticDiagnostics(file)]),
    ]);
    return found.flat();
  }

  /** @param wanted files that are to be checked. */
  async #upToDate(sources: SourceSnapshot, wanted: readonly string[]): Promise<Session> {
    const session = this.#session;
    if (session === null) return this.#open(sources, wanted);
    const { known, roots } = session;
    const changed: string[] = [];
    const deleted: string[] = [];
    for (const [path, before] of known) {
      const now = sources.hash(path);
      if (now === null) deleted.push(path);
      else if (now !== before) changed.push(path);
    }
    const created = sources.paths.filter(path => !known.has(path));
    const all = [...changed, ...created, ...deleted];
    // TypeScript does not notice the first files of a program that had none, and no packages that are installed later.
    const packages = installedPackages(this.#packageFolders());
    if (known.size === 0 || packages !== session.packages || all.some(path => path.endsWith('.json'))) {
      await this.#close();
      return this.#open(sources, wanted);
    }
    for (const path of all) note(known, path, sources);
    const before = [...roots].join('\n');
    for (const path of deleted) roots.delete(path);
    for (const path of [...wanted, ...[...changed, ...created].filter(each => isAmbient(each, sources))])
      roots.add(path);
    if ([...roots].join('\n') !== before) {
      writeConfig(session);
      changed.push(session.config);
    } else if (all.length === 0) return session;
    const last = session.snapshot;
    session.snapshot = await session.api.updateSnapshot({ fileChanges: { changed, created, deleted } });
    await last.dispose();
    return session;
  }

  async #open(sources: SourceSnapshot, wanted: readonly string[]): Promise<Session> {
    // Only the long-lived process loads it.
    const { API: Checker } = await import('typescript/unstable/async');
    const folder = mkdtempSync(join(tmpdir(), 'hotcast-types-'));
    const config = join(folder, 'tsconfig.json');
    const known = new Map<string, string>();
    const packages = installedPackages(this.#packageFolders());
    for (const path of sources.paths) note(known, path, sources);
    const api = new Checker({ cwd: this.#modulesDir, fs: this.#files(folder, known) });
    try {
      const users = findTsconfig(this.#modulesDir, sources);
      const { base, declarations } = await checkConfig(api, this.#modulesDir, users, this.#packageFolders());
      const ambient = sources.paths.filter(path => isAmbient(path, sources));
      const roots = new Set([...wanted, ...ambient, ...declarations]);
      // A program of no file is an error.
      writeFileSync(join(folder, 'none.d.ts'), '');
      writeConfig({ base, roots, config });
      const snapshot = await api.updateSnapshot({ openProjects: [config] });
      this.#session = { api, folder, config, base, roots, known, packages, snapshot };
      return this.#session;
    } catch (error) {
      rmSync(folder, { recursive: true });
      await orNullAfter(CLOSE_TIMEOUT_MS, api.close());
      throw error;
    }
  }

  #packageFolders(): string[] {
    const folders = [...foldersUpTo(this.#sources.root, this.#modulesDir), this.#appDir];
    return folders.map(each => join(each, 'node_modules'));
  }

  /** Gives the checker the sources of the check that runs. It reads packages and its own files by itself. */
  #files(ownFolder: string, known: Map<string, string>): FileSystem {
    const sourcesWith = (path: string): SourceSnapshot | null =>
      !isAbsolute(path) || isInPackage(path) || path.startsWith(ownFolder) ? null : this.#snapshot;
    return {
      fileExists: path => {
        const sources = sourcesWith(path);
        return sources === null ? undefined : sources.hash(path) !== null;
      },
      readFile: path => {
        const sources = sourcesWith(path);
        if (sources === null) return undefined;
        note(known, path, sources);
        return sources.text(path);
      },
    };
  }

  #diagnosticOf(found: TypeScriptDiagnostic, sources: SourceSnapshot): Diagnostic {
    const { fileName, pos, end } = found;
    const text = textOf(found);
    if (fileName === undefined || fileName === '') return withoutPosition(text);
    const whole = sources.text(fileName) ?? '';
    const start = whole.lastIndexOf('\n', pos - 1) + 1;
    const source = /.*/.exec(whole.slice(start))?.[0] ?? '';
    return {
      text,
      file: relative(sources.root, fileName),
      line: whole.slice(0, start).split('\n').length,
      column: pos - start + 1,
      source,
      length: Math.max(1, Math.min(end, start + source.length) - pos),
    };
  }
}

function writeConfig({ base, roots, config }: Pick<Session, 'base' | 'roots' | 'config'>): void {
  writeFileSync(config, JSON.stringify({ ...base, files: ['none.d.ts', ...roots] }));
}

function note(known: Map<string, string>, path: string, sources: SourceSnapshot): void {
  const hash = sources.hash(path);
  if (hash === null) known.delete(path);
  else known.set(path, hash);
}

function textOf({ code, text, messageChain = [] }: TypeScriptDiagnostic): string {
  const lines = (chain: readonly TypeScriptDiagnostic[], depth: number): string[] =>
    chain.flatMap(each => [`${'  '.repeat(depth)}${each.text}`, ...lines(each.messageChain ?? [], depth + 1)]);
  return [`${text} (TS${code})`, ...lines(messageChain, 1)].join('\n');
}
