import { type Bundle, packMap } from '../../protocol/bundle.ts';
import { revisionOf } from '../../protocol/revision.ts';

/** What esbuild writes before a CommonJS bundle of ES modules. */
const PRELUDE = `"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);
var subject_exports = {};
__export(subject_exports, { held: () => held, run: () => run, version: () => version });
module.exports = __toCommonJS(subject_exports);
`;

/** A module as large as a number of bytes; each version's code differs. */
export class GeneratedModule {
  readonly #functions: string;
  /** As much as esbuild's source map has. */
  readonly #map: Uint8Array;

  constructor(bytes: number) {
    let text = '';
    let last = 'item';
    for (let index = 0; PRELUDE.length + text.length + 150 < bytes || index === 0; index += 1) {
      text += functionCalling(last, index);
      last = `step${index}`;
    }
    this.#functions = `function item(input) { return { input }; }\n${text}function run(input) { return ${last}(input); }\n`;
    this.#map = packMap(
      JSON.stringify({ version: 3, sources: [], names: [], mappings: 'AAAA,SAASA,'.repeat(bytes / 8) }),
    );
  }

  /** The code as the controller's compiler writes it; while it is loaded, it holds so many numbers of 8 bytes. */
  commonJs(version: number, numbers = 0): string {
    return `${PRELUDE}${this.#body(version, numbers)}`;
  }

  /** The same as an ES module. */
  esModule(version: number, numbers: number): string {
    return `${this.#body(version, numbers)}export { held, run, version };\n`;
  }

  bundle(version: number, numbers = 0): Bundle {
    const code = this.commonJs(version, numbers);
    const exports = ['held', 'run', 'version'];
    return { module: 'subject', revision: revisionOf(code), file: 'modules/subject.ts', exports, code, map: this.#map };
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
