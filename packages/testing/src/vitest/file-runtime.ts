import type { AnyModules } from '../api/modules.ts';
import type { TestRuntime } from '../api/runtime.ts';
import { Runtime } from '../runtime/runtime.ts';
import { currentFile, setCurrentFile, type TestFile } from '../test-file.ts';

/** A test file with its runtime. */
interface FileRuntime extends TestFile {
  runtime: Runtime | null;
}

const current = (): FileRuntime | null => currentFile() as FileRuntime | null;

/** Begins a test file. */
export function beginFile(modulesDir: string): void {
  const file: FileRuntime = { modulesDir, runtime: null };
  setCurrentFile(file);
}

/** Ends the runtime of a test file. */
export async function endFile(): Promise<void> {
  const ended = current()?.runtime;
  setCurrentFile(null);
  await ended?.[Symbol.asyncDispose]();
}

function fileRuntime(): Runtime {
  const file = current();
  if (file === null) {
    throw new TypeError('no runtime: add hotcast() of @hotcast/testing/vitest to the plugins in vitest.config.ts');
  }
  file.runtime ??= new Runtime({ modules: file.modulesDir });
  return file.runtime;
}

/**
 * The runtime of this test file, which has the modules that it imports. Each test file has its own.
 *
 * @throws TypeError without the plugin of `@hotcast/testing/vitest`.
 */
export function testRuntime<Modules = AnyModules>(): TestRuntime<Modules> {
  return fileRuntime() as unknown as TestRuntime<Modules>;
}

/**
 * Loads a module for the imports of a test file.
 *
 * @param take is called with its exports: now, and each time that modules have changed.
 */
export async function importModule(name: string, take: (read: (exported: string) => unknown) => void): Promise<void> {
  const runtime = fileRuntime();
  const exports = await runtime.load(name);
  const refresh = (): void => take(exported => (Object.hasOwn(exports, exported) ? exports[exported] : undefined));
  refresh();
  runtime.onChanged(refresh);
}

/** Maps the frames of modules in a stack to the files of their sources; the stack itself if it has none. */
export function mapStack(stack: string): string {
  return current()?.runtime?.mapStack(stack) ?? stack;
}
