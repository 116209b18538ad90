import { CodeServer } from '../../node-image/src/modules/code-server.ts';
import { packMap } from '../../protocol/bundle.ts';
import { revisionOf } from '../../protocol/revision.ts';
import { median } from './numbers.ts';
import { silent } from './silent.ts';

/** So few that most rounds are over before another process gets the processor. */
const CALLS = 100_000;
const ROUNDS = 301;
const WARM_UP = 30;
const SWAPS = 100;

/** Calls that are measured right after a swap. */
const FIRST_CALLS = 1_000;

const WAYS = ['plain', 'hot', 'proxy'] as const;

/** Medians, nanoseconds a call. */
export type CallCost = Readonly<Record<(typeof WAYS)[number], number>>;

export interface CallCosts {
  /** A function that V8 always calls; by callers that have seen a hundred versions of it. */
  readonly called: CallCost;
  /** `return x + y`, which V8 puts in the place of the call when it knows the function: before the first swap, and after. */
  readonly inlinedAtFirst: CallCost;
  readonly inlinedAfter: CallCost;
  /** The first calls after a swap, in the same callers; `plain` is of a function that was just compiled too. */
  readonly first: CallCost;
}

/** More than V8 puts in the place of a call, in a branch that is never taken. */
const TOO_LARGE = `if (x === -1) { let t = 0; ${Array.from({ length: 60 }, (_, i) => `t += x * ${i} ^ (y + ${i});`).join(' ')} return t; }`;

const callee = (large: boolean, version: number): string =>
  `exports.add = function add(x, y) { ${large ? TOO_LARGE : ''} return x + y; }; exports.version = ${version};`;

/** Loops as esbuild writes them for `import { add } from 'hot:callee'`, for a local `add`, and for a module's Proxy. */
const caller = (large: boolean): string => `
  const callee = require('hot:callee');
  const proxy = new Proxy({}, { get: (_, name) => callee[name] });
  function add(x, y) { ${large ? TOO_LARGE : ''} return x + y; }
  exports.hot = calls => { let sum = 0; for (let i = 0; i < calls; i++) sum = (0, callee.add)(sum, i) & 0xffff; return sum; };
  exports.plain = calls => { let sum = 0; for (let i = 0; i < calls; i++) sum = add(sum, i) & 0xffff; return sum; };
  exports.proxy = calls => { let sum = 0; for (let i = 0; i < calls; i++) sum = (0, proxy.add)(sum, i) & 0xffff; return sum; };
  exports.given = (calls, add) => { let sum = 0; for (let i = 0; i < calls; i++) sum = add(sum, i) & 0xffff; return sum; };
`;

type Loop = (calls: number, add?: unknown) => number;

/** A node with both modules. */
class Callers {
  readonly #server = new CodeServer(silent);
  readonly #large: boolean;
  #sequence = 0;

  constructor(large: boolean) {
    this.#large = large;
    this.swap();
    this.#load('caller', caller(large));
  }

  swap(): void {
    this.#load('callee', callee(this.#large, this.#sequence));
  }

  /** Nanoseconds a call. */
  time(way: (typeof WAYS)[number], calls: number): number {
    return timed(() => this.#loop(way)(calls), calls);
  }

  /** The same, of a function that is handed over, and just compiled. */
  timeOther(calls: number): number {
    const loop = this.#loop('given');
    const other = new CodeServer(silent);
    load(other, 'callee', callee(this.#large, this.#sequence), 1);
    const { add } = other.current('callee')?.exports ?? {};
    return timed(() => loop(calls, add), calls);
  }

  #loop(name: string): Loop {
    return this.#server.current('caller')?.exports[name] as Loop;
  }

  #load(module: string, code: string): void {
    this.#sequence += 1;
    load(this.#server, module, code, this.#sequence);
  }
}

/** Measures what a call of `hot:callee` costs beside a plain call and one through a Proxy. */
export function measureCalls(): CallCosts {
  const called = new Callers(true);
  const inlined = new Callers(false);
  const inlinedAtFirst = costOf(inlined);
  for (let swap = 0; swap < SWAPS; swap += 1) {
    for (const callers of [called, inlined]) {
      callers.swap();
      for (const way of WAYS) callers.time(way, FIRST_CALLS);
    }
  }
  const first: Record<(typeof WAYS)[number], number[]> = { plain: [], hot: [], proxy: [] };
  for (let round = 0; round < SWAPS; round += 1) {
    for (const way of ['hot', 'proxy'] as const) {
      called.swap();
      first[way].push(called.time(way, FIRST_CALLS));
    }
    first.plain.push(called.timeOther(FIRST_CALLS));
  }
  return {
    called: costOf(called),
    inlinedAtFirst,
    inlinedAfter: costOf(inlined),
    first: mediansOf(first),
  };
}

/** The ways take turns, after each has been compiled for speed. */
function costOf(callers: Callers): CallCost {
  const times: Record<(typeof WAYS)[number], number[]> = { plain: [], hot: [], proxy: [] };
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    for (const way of WAYS) {
      const time = callers.time(way, CALLS);
      if (round >= 0) times[way].push(time);
    }
  }
  return mediansOf(times);
}

function mediansOf(times: Readonly<Record<(typeof WAYS)[number], readonly number[]>>): CallCost {
  return { plain: median(times.plain), hot: median(times.hot), proxy: median(times.proxy) };
}

function timed(loop: () => number, calls: number): number {
  const start = performance.now();
  const sum = loop();
  const took = performance.now() - start;
  if (sum !== sumOf(calls)) throw new RangeError(`the calls came to ${sum}`);
  return (took / calls) * 1e6;
}

/** What the loops come to: who checks it has done the work. */
function sumOf(calls: number): number {
  return ((calls * (calls - 1)) / 2) % 0x10000;
}

function load(server: CodeServer, module: string, code: string, sequence: number): void {
  const revision = revisionOf(code);
  server.prepare({ module, revision, file: `modules/${module}.ts`, exports: [], code, map: packMap('{}') });
  const outcome = server.commit([{ module, revision, sequence, force: false }]);
  if (outcome.status !== 'ok') throw new TypeError(outcome.detail);
}
