import type { BuiltBundle } from '../../controller/src/build/build.ts';
import { encodeBundle } from '../../protocol/bundle.ts';
import { bundleOf } from '../unit/fixtures.ts';

interface Text {
  readonly module: string;
  readonly version: number;
  /** The nodes that it throws on while it loads. */
  readonly throwsOn: readonly string[];
  /** Whether it is no JavaScript. */
  readonly isBroken: boolean;
  /** The modules that it calls while it loads. */
  readonly needs: readonly string[];
  /** The modules that it imports, and calls later or never. */
  readonly mentions: readonly string[];
}

/** A module as a user could write it, compiled. */
export interface Source extends BuiltBundle, Pick<Text, 'throwsOn' | 'isBroken' | 'needs'> {
  /** The modules that it imports as `hot:<module>`. */
  readonly imports: readonly string[];
  /** How it names itself; no other revision has the same name. */
  readonly label: string;
}

/** What a long call sees when it ends. */
export interface Seen {
  /** The name of the version whose code has waited. */
  readonly label: string;
  /** Whether that version was not closed meanwhile. */
  readonly isOpen: boolean;
  /** The names of the current versions of the modules that it imports; null where there is none. */
  readonly imports: Readonly<Record<string, string | null>>;
}

/** Has the calls of {@link sourceOf} wait for {@link letGoOn}, by their ids. */
const waiting = new Map<string, () => void>();
Object.assign(globalThis, {
  hotcastWait: (id: string) => new Promise<void>(resolve => waiting.set(id, resolve)),
});

/** Lets a call of {@link sourceOf} go on. */
export function letGoOn(id: string): void {
  definitely(waiting.get(id))();
  waiting.delete(id);
}

/**
 * A module that counts its loads in `import.meta.hot.data`, and spoils the data where it throws. Its functions wait as long
 * as a test wants: in a call, in a stream, or in the code of a module that it imports.
 */
export function sourceOf({ module, version, throwsOn, isBroken, needs, mentions }: Text): Source {
  const imports = [...new Set([...needs, ...mentions])];
  const label = JSON.stringify([module, version, throwsOn, needs, mentions]);
  const bundle = bundleOf(
    module,
    `
      const imported = { ${imports.map(each => `"${each}": require("hot:${each}")`).join(', ')} };
      const { data, signal } = __hotcast_hot;
      data.loads = (data.loads ?? 0) + 1;
      if (${JSON.stringify(throwsOn)}.includes(globalThis.hotcastNode())) {
        data.spoilt = true;
        throw new Error('not on this node');
      }
      for (const needed of ${JSON.stringify(needs)}) imported[needed].answer();
      const labelOf = exported => { try { return exported.label; } catch { return null; } };
      const see = () => ({
        label: exports.label,
        isOpen: !signal.aborted,
        imports: Object.fromEntries(Object.entries(imported).map(([name, exported]) => [name, labelOf(exported)])),
      });
      const call = async id => { await globalThis.hotcastWait(id); return see(); };
      exports.call = call;
      exports.stream = async function* (id) { yield exports.label; yield await call(id); };
      exports.callInside = (id, module) => imported[module].call(id);
      exports.answer = () => ${version};
      exports.label = ${JSON.stringify(label)};
      exports.data = data;
      ${isBroken ? 'exports.add = (' : ''}
    `,
  );
  return {
    bundle,
    packed: encodeBundle(bundle),
    packages: null,
    groups: null,
    sources: {},
    throwsOn,
    isBroken,
    needs,
    imports,
    label,
  };
}

/** What is there by the way the test is written. */
export function definitely<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('the test itself is wrong');
  return value;
}
