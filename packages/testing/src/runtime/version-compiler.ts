import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { type Compiled, compile } from '../../../../controller/src/build/compile.ts';
import { availableModules, moduleEntry } from '../../../../controller/src/build/module-entry.ts';
import { Packages } from '../../../../controller/src/build/packages/packages.ts';
import { readSource, realPathOf, type SourceFile } from '../../../../controller/src/build/sources/source-file.ts';
import { SourceSnapshot } from '../../../../controller/src/build/sources/source-snapshot.ts';
import type { RuntimeOptions, VersionSource } from '../api/runtime.ts';
import { projectOf } from '../project-folder.ts';

/** Compiles versions of the modules of a folder, with the controller's compiler. */
export class VersionCompiler implements Disposable {
  readonly folder: string;
  /** The project that the folder is in. Paths in results are relative to it. */
  readonly root: string;
  readonly #packages = new Packages();
  /** The project that was written for modules without a folder. */
  readonly #temporary: string | null = null;

  constructor(modules: NonNullable<RuntimeOptions['modules']>) {
    if (typeof modules === 'string') {
      this.folder = resolve(modules);
      this.root = projectOf(this.folder) ?? dirname(this.folder);
      return;
    }
    this.#temporary = mkdtempSync(join(tmpdir(), 'hotcast-modules-'));
    this.root = this.#temporary;
    this.folder = join(this.root, 'modules');
    mkdirSync(this.folder);
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }');
    for (const [name, text] of Object.entries(modules)) writeFileSync(join(this.folder, `${name}.ts`), text);
  }

  /** The names of the modules in the folder. */
  get modules(): readonly string[] {
    return availableModules(this.folder);
  }

  /** The file of a module. @throws UsageError when there is none. */
  fileOf(module: string): string {
    return moduleEntry(this.folder, module);
  }

  /** @throws UsageError, SourceError. */
  async compile(module: string, { source, file, edit }: VersionSource): Promise<Compiled> {
    const path = this.fileOf(module);
    const text = source ?? (file === undefined ? edit?.(readFileSync(path, 'utf8')) : readFileSync(file, 'utf8'));
    const taken = text === undefined ? [] : [[realPathOf(path), written(text)] as const];
    const snapshot = new SourceSnapshot(this.folder, this.root, {
      files: new Map(taken),
      listing: null,
      isWhole: true,
      read: readSource,
    });
    return compile(this.folder, module, snapshot, this.#packages);
  }

  [Symbol.dispose](): void {
    if (this.#temporary !== null) rmSync(this.#temporary, { recursive: true, force: true });
  }
}

/** A file with this text, which was written long ago. */
function written(text: string): SourceFile {
  const bytes = Buffer.from(text);
  return { bytes, hash: hash('sha256', bytes), stamp: '', writtenAt: 0, isStable: true };
}
