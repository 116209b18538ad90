import { type Bundle, packMap } from '../protocol/bundle.ts';
import { revisionOf } from '../protocol/revision.ts';

/** What esbuild adds to a module of this form when it makes CommonJS of it, and the constant part (bytes). */
const FRAME_BYTES = 950;

/**
 * The source of a module that has about this many bytes of code once it is compiled. Versions differ in one number.
 */
export function subjectSource(bytes: number, version: number): string {
  return `export const version = ${version};\nexport ${functions(bytes - FRAME_BYTES, 'input: number): unknown[]')}`;
}

/** Its compiled code, and bundles of it. A version holds as many numbers of 8 bytes as it is told. */
export function compiledSubject(bytes: number) {
  const code = functions(bytes - 400, 'input)');
  const body = (version: number, numbers: number): string =>
    `var version = ${version};\nvar held = new Array(${numbers}).fill(version + 0.5);\n${code}`;
  const names = ['held', 'run', 'version'];
  // With getters like those of esbuild.
  const getters = names.map(name => `${name}: { get: () => ${name}, enumerable: true }`).join(', ');
  const commonJs = (version: number, numbers: number): string =>
    `"use strict";\nObject.defineProperties(exports, { ${getters} });\n${body(version, numbers)}`;
  // As large as esbuild's source map.
  const map = { version: 3, sources: [], names: [], mappings: 'AAAA,SAASA,'.repeat(bytes / 8) };
  const packedMap = packMap(JSON.stringify(map));
  return {
    esModule: (version: number, numbers: number): string =>
      `${body(version, numbers)}export { ${names.join(', ')} };\n`,
    bundle: (version: number, numbers = 0, module = 'subject'): Bundle =>
      bundleOf(module, commonJs(version, numbers), packedMap),
  };
}

/** The bundle of a module, with an empty source map if none is given. */
export function bundleOf(module: string, code: string, map = packMap('{}')): Bundle {
  const known = { exports: [], live: [], memoryBytes: 0 };
  return { module, revision: revisionOf(code), file: `modules/${module}.ts`, ...known, code, map };
}

/**
 * `run` and small functions that call each other, each with its own constants, like the modules for Erlang
 * (erlang/subject.erl): so many bytes of code without types.
 */
function functions(bytes: number, head: string): string {
  // Numbers of five digits, always the same (the generator of Numerical Recipes).
  let state = 42;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 30_000 + (state % 30_000);
  };
  const all = [`function run(${head} { return step0(input); }`];
  for (let length = 0; length < bytes;) {
    const index = all.length - 1;
    const text = Array.from({ length: 4 }, () => next().toString(36).padStart(4, '0')).join('');
    const body = `input > ${next()} ? [input * ${next()}, ${next()}, '${text}'] : step${index + 1}(input + ${next()})`;
    all.push(`function step${index}(${head} {\n  return ${body};\n}`);
    length += `function step${index}(input) {\n  return ${body};\n}\n`.length;
  }
  return `${all.join('\n')}\nfunction step${all.length - 1}(${head} { return [input]; }\n`;
}
