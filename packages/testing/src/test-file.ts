/** What is known of the test file that runs. */
export interface TestFile {
  readonly modulesDir: string;
}

/** vitest can load this file twice: as it is, and through Vite. */
const KEY = Symbol.for('@hotcast/testing: the test file that runs');
const held = globalThis as { [KEY]?: TestFile | null };

/** The test file that runs, as the plugin has begun it; null without the plugin. */
export function currentFile(): TestFile | null {
  return held[KEY] ?? null;
}

export function setCurrentFile(file: TestFile | null): void {
  held[KEY] = file;
}

/** The modules folder of the plugin; without it, `./modules`. */
export function modulesDirOfTest(): string {
  return currentFile()?.modulesDir ?? './modules';
}
