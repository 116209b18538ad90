import { basename } from 'node:path';

import type { OnLoadResult, Plugin } from 'esbuild';

import type { ScriptFile } from './script-file.ts';

const DECORATOR = /^\s*@[\p{L}_$]|[({,]\s*@[\p{L}_$]/mu;

/** What the code of decorators calls, as TypeScript writes it. oxc imports each from a file of its own package. */
const HELPERS: Readonly<Record<string, string>> = {
  decorate: `export default function (decorators, target, key, description) {
    const isClass = arguments.length < 3;
    let result = isClass ? target : description === null ? Object.getOwnPropertyDescriptor(target, key) : undefined;
    for (const decorator of decorators.toReversed()) {
      if (typeof decorator !== 'function') continue;
      result = (isClass ? decorator(result) : decorator(target, key, result)) || result;
    }
    if (!isClass && result) Object.defineProperty(target, key, result);
    return result;
  }`,
  decorateMetadata: `export default (key, value) =>
    typeof Reflect.metadata === 'function' ? Reflect.metadata(key, value) : undefined;`,
  decorateParam: 'export default (index, decorator) => (target, key) => decorator(target, key, index);',
};

/**
 * A decorated class as oxc writes it. esbuild would give the inner one of two equal names a number, and a class that is found by
 * its name would not be found.
 */
const NAMED_TWICE = /\blet ([\p{L}\p{N}_$]+) = class \1(?![\p{L}\p{N}_$])/gu;

const HELPER = /^@oxc-project\/runtime\/helpers\/(\w+)$/;

/** Whether a file needs {@link withDecoratorMetadata}. */
export function hasDecorators({ loader, text, tsconfig }: ScriptFile): boolean {
  return tsconfig.hasDecoratorMetadata && (loader === 'ts' || loader === 'tsx') && DECORATOR.test(text);
}

/**
 * Compiles the decorators of a file with the types of what they decorate, `emitDecoratorMetadata`, which esbuild can't. The
 * file's own build reports its errors.
 */
export async function withDecoratorMetadata({ name, text, loader, tsconfig }: ScriptFile): Promise<OnLoadResult> {
  // Only a modules folder with such decorators loads it.
  const { transform } = await import('oxc-transform');
  const { verbatimModuleSyntax = false, useDefineForClassFields = true } = tsconfig.options;
  const { code, map, errors } = await transform(basename(name), text, {
    lang: loader === 'tsx' ? 'tsx' : 'ts',
    jsx: 'preserve',
    sourcemap: true,
    decorator: { legacy: true, emitDecoratorMetadata: true, strictNullChecks: tsconfig.isStrict },
    typescript: {
      onlyRemoveTypeImports: verbatimModuleSyntax,
      removeClassFieldsWithoutInitializer: !useDefineForClassFields,
    },
    assumptions: { setPublicClassFields: !useDefineForClassFields },
  });
  if (errors.length > 0 || map === undefined) return { contents: text, loader };
  const encoded = Buffer.from(JSON.stringify(map)).toString('base64');
  // Spaces keep the columns.
  const named = code.replaceAll(NAMED_TWICE, (_, own: string) => `let ${own} = class ${' '.repeat(own.length)}`);
  return { contents: `${named}\n//# sourceMappingURL=data:application/json;base64,${encoded}`, loader: 'jsx' };
}

/** Gives esbuild the helpers that compiled decorators import. */
export const decoratorHelpers: Plugin = {
  name: 'decorator-helpers',
  setup: esbuild => {
    esbuild.onResolve({ filter: HELPER }, ({ path }) => ({ path, namespace: 'decorator-helpers' }));
    esbuild.onLoad({ filter: /.*/, namespace: 'decorator-helpers' }, ({ path }) => ({
      contents: HELPERS[HELPER.exec(path)?.[1] ?? ''] ?? '',
    }));
  },
};
