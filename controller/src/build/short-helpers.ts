import { transform } from 'esbuild';

import { esbuildService } from './esbuild-service.ts';

/** What esbuild adds to the end for Node's own loader: the names of the exports once more. */
const EXPORT_NAMES =
  /\n\/\/ Annotate the CommonJS export names for ESM import in node:\n0 && \(module\.exports = \{[^}]*\}\);\n$/;

/** Helpers by their text as esbuild writes it. There are few. */
const known = new Map<string, Promise<string>>();

/**
 * Makes compiled code shorter that travels with every edit: the helpers that esbuild writes before the code of the first file are
 * most of a small module. No line of the files changes its number.
 *
 * @param isFile whether a comment names a file, as in {@link nameFiles}.
 * @throws UnavailableError when esbuild's process ends meanwhile.
 */
export async function shortHelpers(code: string, isFile: (name: string) => boolean): Promise<string> {
  const first = [...code.matchAll(/^\/\/ (.+)\n/gm)].find(([, name = '']) => isFile(name));
  const end = first?.index ?? 0;
  const short = code.replace(EXPORT_NAMES, '\n');
  return end === 0 ? short : (await shorten(code.slice(0, end))) + short.slice(end);
}

async function shorten(helpers: string): Promise<string> {
  const lines = helpers.split('\n').length;
  const short = known.get(helpers) ?? minify(helpers);
  known.set(helpers, short);
  try {
    const text = (await short).trimEnd();
    return text + '\n'.repeat(lines - text.split('\n').length);
  } catch (error) {
    known.delete(helpers);
    throw error;
  }
}

async function minify(helpers: string): Promise<string> {
  return (await esbuildService.use(() => transform(helpers, { minify: true, target: 'node24', logLevel: 'silent' })))
    .code;
}
