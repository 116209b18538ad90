import { relative, sep } from 'node:path';

import { watch } from 'chokidar';

import { realPathOf } from './source-file.ts';

/**
 * Is called for each file that was saved, renamed or removed, with its path in the modules folder: `demo.ts`, `shop/index.ts`; null
 * for a file beside it, which any module can import.
 */
export type OnSave = (path: string | null) => void;

/** Editors save by way of other files: a change that is a removal and a creation within this time is one (milliseconds). */
const ATOMIC_SAVE_MS = 50;

/**
 * Watches a folder until it is disposed of. Resolves when it watches. Packages are not watched: they are installed, not saved.
 *
 * @param modulesDir the folder itself, or one in it.
 */
export async function watchFolder(folder: string, modulesDir: string, onSave: OnSave): Promise<AsyncDisposable> {
  const root = realPathOf(folder);
  const modules = realPathOf(modulesDir);
  const watcher = watch(root, {
    ignoreInitial: true,
    atomic: ATOMIC_SAVE_MS,
    ignored: path => path.split(sep).includes('node_modules') || path.slice(root.length).includes(`${sep}.`),
  });
  // What cannot be watched is said by the push that cannot read it.
  watcher
    .on('error', () => undefined)
    .on('all', (_, path) => {
      const inModules = relative(modules, path);
      onSave(inModules.startsWith('..') ? null : inModules);
    });
  await new Promise<void>(resolve => watcher.once('ready', resolve));
  return { [Symbol.asyncDispose]: () => watcher.close() };
}
