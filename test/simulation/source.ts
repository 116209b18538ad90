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

/** A module as a user may write it, compiled. */
export type Source = BuiltBundle & Pick<Text, 'throwsOn' | 'isBroken' | 'needs'>;

/** A module that counts its loads in `import.meta.hot.data`, and spoils the data where it throws. */
export function sourceOf({ module, version, throwsOn, isBroken, needs, mentions }: Text): Source {
  const bundle = bundleOf(
    module,
    `
      const { data } = __hotcast_hot;
      data.loads = (data.loads ?? 0) + 1;
      if (${JSON.stringify(throwsOn)}.includes(globalThis.hotcastNode())) {
        data.spoilt = true;
        throw new Error('not on this node');
      }
      ${needs.map(each => `require("hot:${each}").answer();`).join(' ')}
      exports.later = () => { ${mentions.map(each => `require("hot:${each}").answer();`).join(' ')} };
      exports.answer = () => ${version};
      exports.version = ${version};
      exports.data = data;
      ${isBroken ? 'exports.add = (' : ''}
    `,
  );
  return { bundle, packed: encodeBundle(bundle), sources: {}, throwsOn, isBroken, needs };
}

/** What is there by the way the test is written. */
export function definitely<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('the test itself is wrong');
  return value;
}
