import { createRequire, isBuiltin } from 'node:module';

/** Built-in modules that reach nothing outside: modules get them as they are. For all others there are stand-ins. */
const PURE = new Set(
  [
    'assert assert/strict async_hooks buffer console constants crypto diagnostics_channel events module os path',
    'path/posix path/win32 perf_hooks process punycode querystring stream stream/consumers stream/promises',
    'stream/web string_decoder sys url util util/types v8 vm zlib',
  ]
    .join(' ')
    .split(' '),
);

const TIMERS = new Set(['timers', 'timers/promises']);

const realRequire = createRequire(import.meta.url);

/** A module asks for what is no built-in of this version of Node.js; the nodes have the same version. */
export class NoBuiltIn extends Error {
  override readonly name = 'NoBuiltIn';
}

interface StandIns {
  /** For what reaches outside. */
  readonly outside: object;
  /** For timers, which nobody notices to be missing while a module loads. */
  readonly still: object;
  /** Told when a module asks for a native addon. */
  readonly onNative: () => void;
}

/** The `require` that modules get; it throws where that of a node does. */
export function builtIns({ outside, still, onNative }: StandIns): (id: string) => unknown {
  return id => {
    if (id.startsWith('hot:')) return outside;
    if (id.endsWith('.node')) onNative();
    if (!isBuiltin(id)) throw new NoBuiltIn(`it needs ${id}, which is no built-in of Node ${process.version}`);
    const name = id.replace(/^node:/, '');
    if (TIMERS.has(name)) return still;
    return PURE.has(name) ? realRequire(id) : outside;
  };
}
