import { createRequire, isBuiltin } from 'node:module';
import { Server } from 'node:net';

/** Built-in modules without I/O. Modules under test get these; they get stubs for all others. */
const PURE = new Set(
  [
    'assert assert/strict async_hooks buffer console constants crypto diagnostics_channel events module os path',
    'path/posix path/win32 perf_hooks process punycode querystring stream stream/consumers stream/promises',
    'stream/web string_decoder sys url util util/types v8 vm zlib',
  ]
    .join(' ')
    .split(' '),
);

/** The parts of `http` without I/O, as long as no server listens. Express and socket.io need them while they load. */
const HTTP = [
  'METHODS STATUS_CODES IncomingMessage OutgoingMessage ServerResponse Server createServer maxHeaderSize',
  'validateHeaderName validateHeaderValue',
]
  .join(' ')
  .split(' ');

const TIMERS = new Set(['timers', 'timers/promises']);

const HOT = 'hot:';

const realRequire = createRequire(import.meta.url);

/** A module requires something that is no built-in of this version of Node.js. The nodes have the same version. */
export class NoBuiltIn extends Error {
  override readonly name = 'NoBuiltIn';
  /** As on a node. */
  readonly code = 'MODULE_NOT_FOUND';
}

interface Stubs {
  /** For modules with I/O. Using it is recorded. */
  readonly io: object;
  /** Called when a server is to listen. It does not. */
  readonly onListen: () => void;
  /** For timers. Using it is not recorded: no timer fires while a module loads. */
  readonly inert: object;
  /** What a module gets for its import of another one; with names, for these exports only. */
  readonly hotImport: (module: string, names: readonly string[] | undefined) => object;
  /** Called when a module requires a native addon. */
  readonly onNative: () => void;
}

/** The `require` of modules under test. It throws where that of a node does. */
export function builtIns({
  io,
  inert,
  hotImport,
  onNative,
  onListen,
}: Stubs): (id: string, names?: readonly string[]) => unknown {
  // Those of packages, which get the real built-in modules, do not listen either.
  Server.prototype.listen = function (this: Server): Server {
    onListen();
    return this;
  };
  const http = (): object => {
    const real = realRequire('node:http') as Record<string, unknown>;
    return Object.create(
      io,
      Object.fromEntries(HTTP.map(name => [name, { value: real[name], enumerable: true }])),
    ) as object;
  };
  let madeHttp: object | null = null;
  return (id, names) => {
    if (id.startsWith(HOT)) return hotImport(id.slice(HOT.length), names);
    if (id.endsWith('.node')) onNative();
    if (!isBuiltin(id)) throw new NoBuiltIn(`it needs ${id}, which is no built-in of Node ${process.version}`);
    const name = id.replace(/^node:/, '');
    if (TIMERS.has(name)) return inert;
    if (name === 'http') return (madeHttp ??= http());
    return PURE.has(name) ? realRequire(id) : io;
  };
}
