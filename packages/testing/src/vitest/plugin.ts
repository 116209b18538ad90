import { basename, dirname, resolve } from 'node:path';

import type { Plugin } from 'vitest/config';

import { findProject } from '../../../../controller/src/build/project-folder.ts';
import { isModuleName } from '../../../../protocol/names.ts';
import { VersionCompiler } from '../runtime/version-compiler.ts';

export interface HotcastPluginOptions {
  /** The modules folder, from the root of the project. Default: as `hotcast.config.ts` says, else `./modules`. */
  readonly modules?: string;
}

/** Marks an id as ours, and keeps other plugins from it. */
const PREFIX = '\0hotcast:';

/** This file is `plugin.ts` in the repository, and `vitest.js` in the package. */
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const fileBeside = (name: string): string => resolve(import.meta.dirname, `${name}.${EXTENSION}`);

/**
 * Has tests import modules as a node runs them: `import { add } from 'hot:demo'`, or from their files. Each import reaches the
 * current version, `import.meta.hot` is that of a node, and `testRuntime()` swaps versions.
 *
 * @example
 * // vitest.config.ts
 * export default defineConfig({ plugins: [hotcast({ modules: './modules' })] });
 */
export function hotcast({ modules }: HotcastPluginOptions = {}): Plugin {
  let compiler: VersionCompiler;
  return {
    name: 'hotcast',
    enforce: 'pre',
    config: async ({ root = process.cwd() }) => {
      const configured = async (): Promise<string> =>
        (await findProject({ projectDir: resolve(root), modulesDir: '' }, warn)).modulesDir;
      compiler = new VersionCompiler(modules === undefined ? await configured() : resolve(root, modules));
      return { test: { setupFiles: [fileBeside('setup')], provide: { hotcastModules: compiler.folder } } };
    },
    async resolveId(source, importer, options) {
      if (source.startsWith('hot:')) return PREFIX + source.slice('hot:'.length);
      const name = moduleNameIn(source);
      if (importer === undefined || name === null || !compiler.modules.includes(name)) return null;
      const resolved = await this.resolve(source, importer, { ...options, skipSelf: true });
      return resolved?.id === compiler.fileOf(name) ? PREFIX + name : null;
    },
    async load(id) {
      if (!id.startsWith(PREFIX)) return null;
      const name = id.slice(PREFIX.length);
      const { bundle, sources } = await compiler.compile(name, {});
      for (const path of Object.keys(sources)) this.addWatchFile(resolve(compiler.root, path));
      return importing(name, bundle.exports);
    },
  };
}

function warn(why: string): void {
  console.warn(`hotcast: ${why}`);
}

/** The name of the module whose file an import could mean; null when it means none. */
function moduleNameIn(source: string): string | null {
  const file = basename(source).replace(/\.\w+$/, '');
  const name = file === 'index' ? basename(dirname(source)) : file;
  return isModuleName(name) ? name : null;
}

/** An ES module with the exports of a module's current version. */
function importing(name: string, exports: readonly string[]): string {
  const taken = exports.map((exported, index) => `e${index} = read(${JSON.stringify(exported)});`);
  const names = exports.map((exported, index) => `e${index} as ${exported}`);
  return `import { importModule } from ${JSON.stringify(fileBeside('file-runtime'))};
let ${exports.map((_, index) => `e${index}`).join(', ')};
await importModule(${JSON.stringify(name)}, read => { ${taken.join(' ')} });
export { ${names.join(', ')} };`;
}
