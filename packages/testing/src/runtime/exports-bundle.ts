import { type Bundle, packMap } from '../../../../protocol/bundle.ts';
import { revisionOf } from '../../../../protocol/revision.ts';

/** Where the code of {@link exportsBundle} finds its exports. */
const KEY = 'hotcast.testing.exports';

/** By number. */
const given: object[] = ((globalThis as Record<symbol, unknown>)[Symbol.for(KEY)] ??= []) as object[];

/** A bundle of a module whose exports a test gives. */
export function exportsBundle(module: string, exports: object): Bundle {
  const index = given.push(exports) - 1;
  const code = `Object.assign(exports, globalThis[Symbol.for("${KEY}")][${index}]);`;
  const names = Object.keys(exports);
  const file = `modules/${module}.ts`;
  return {
    module,
    revision: revisionOf(code),
    file,
    exports: names,
    live: [],
    memoryBytes: 0,
    code,
    map: packMap('{}'),
  };
}
