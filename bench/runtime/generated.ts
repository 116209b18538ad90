import { type Bundle, packMap } from '../../protocol/bundle.ts';
import { revisionOf } from '../../protocol/revision.ts';

/** A module of about this many bytes; the code of each version differs. */
export class GeneratedModule {
  readonly #functions: string;
  /** As large as esbuild's source map. */
  readonly #map: Uint8Array;

  constructor(bytes: number) {
    const steps: string[] = [];
    for (let length = 500; length < bytes || steps.length === 0;) {
      steps.push(functionCalling(steps.length === 0 ? 'item' : `step${steps.length - 1}`, steps.length));
      length += steps.at(-1)?.length ?? 0;
    }
    const run = `function run(input) { return step${steps.length - 1}(input); }`;
    this.#functions = `function item(input) { return { input }; }\n${steps.join('')}${run}\n`;
    const map = { version: 3, sources: [], names: [], mappings: 'AAAA,SAASA,'.repeat(bytes / 8) };
    this.#map = packMap(JSON.stringify(map));
  }

  /** A version as a CommonJS module, with getters like those of esbuild. It holds this many numbers of 8 bytes. */
  commonJs(version: number, numbers = 0): string {
    const getters = ['held', 'run', 'version'].map(name => `${name}: { get: () => ${name}, enumerable: true }`);
    return `"use strict";\nObject.defineProperties(exports, { ${getters.join(', ')} });\n${this.#body(version, numbers)}`;
  }

  /** The same as an ES module. */
  esModule(version: number, numbers: number): string {
    return `${this.#body(version, numbers)}export { held, run, version };\n`;
  }

  bundle(version: number, numbers = 0): Bundle {
    const code = this.commonJs(version, numbers);
    const exports = ['held', 'run', 'version'];
    return {
      module: 'subject',
      revision: revisionOf(code),
      file: 'modules/subject.ts',
      exports,
      live: [],
      memoryBytes: 0,
      code,
      map: this.#map,
    };
  }

  #body(version: number, numbers: number): string {
    return `var version = ${version};\nvar held = new Array(${numbers}).fill(version + 0.5);\n${this.#functions}`;
  }
}

function functionCalling(other: string, index: number): string {
  return `function step${index}(input, options = { list: [] }) {
  const result = { name: \`item-${index}-\${input}\`, total: ${index}, parts: [] };
  for (const [position, value] of options.list.entries()) {
    if (value % ${index + 2} === 0) continue;
    result.parts.push(\`\${position}:\${value * input + ${index}}\`);
    result.total += Math.max(value, options.least ?? ${index}) - (position > 3 ? 1 : 0);
  }
  return result.total > ${index * 7} ? { ...result, late: true } : ${other}(input + 1);
}
`;
}
