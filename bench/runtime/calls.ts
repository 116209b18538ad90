import type { CodeServer } from '../../node-image/src/modules/code-server.ts';
import { bundleOf } from '../subject.ts';
import { digits, goals, section, table } from '../table.ts';
import { latencyOf, load, silentServer } from './node.ts';

/** Calls in one sample: few enough that most samples end before another process gets the processor. */
const CALLS = 100_000;
const SAMPLES = 300;

/** Swaps, and the calls that are measured right after each. */
const SWAPS = 100;
const FIRST_CALLS = 1_000;

const WAYS = ['plain', 'hot', 'proxy'] as const;
type Way = (typeof WAYS)[number];

/** The price of a hot call, in plain calls. */
const MAX_RATIO = 2;

/** More than V8 inlines, in a branch that never runs. */
const TERMS = Array.from({ length: 60 }, (_, i) => `t += x * ${i} ^ (y + ${i});`).join(' ');
const TOO_LARGE = `if (x === -1) { let t = 0; ${TERMS} return t; }`;

/** Loops as esbuild writes them for `import { add } from 'hot:callee'`, for a local `add`, and for a module's Proxy. */
const caller = (body: string): string => {
  const loop = (add: string): string =>
    `(calls, given) => { let sum = 0; for (let i = 0; i < calls; i++) sum = ${add}(sum, i) & 0xffff; return sum; }`;
  return `
    const callee = require('hot:callee');
    const proxy = new Proxy({}, { get: (_, name) => callee[name] });
    function add(x, y) { ${body} return x + y; }
    exports.hot = ${loop('(0, callee.add)')};
    exports.plain = ${loop('add')};
    exports.proxy = ${loop('(0, proxy.add)')};
    exports.given = ${loop('given')};
  `;
};

/** A node with both modules. */
class Callers {
  readonly #server = silentServer();
  readonly #body: string;
  #sequence = 0;

  /** @param body what `add` has beside its sum. */
  constructor(body: string) {
    this.#body = body;
    this.swap();
    load(this.#server, bundleOf('caller', caller(body)), (this.#sequence += 1));
  }

  swap(): void {
    this.#loadCallee(this.#server, (this.#sequence += 1));
  }

  /** A function of the same code that was just compiled. */
  compiled(): unknown {
    const other = silentServer();
    this.#loadCallee(other, 1);
    return other.current('callee')?.exports['add'];
  }

  /** @throws RangeError when the calls have not done their work. */
  run(way: Way | 'given', calls: number, given?: unknown): void {
    const loop = this.#server.current('caller')?.exports[way] as (calls: number, given: unknown) => number;
    const sum = loop(calls, given);
    if (sum !== ((calls * (calls - 1)) / 2) % 0x10000) throw new RangeError(`the calls came to ${sum}`);
  }

  #loadCallee(server: CodeServer, sequence: number): void {
    const add = `exports.add = function add(x, y) { ${this.#body} return x + y; };`;
    load(server, bundleOf('callee', `${add} exports.version = ${this.#sequence};`), sequence);
  }
}

/** Measures a call of `hot:callee` beside a plain call and one through a Proxy. */
export async function callsReport(): Promise<string> {
  const called = new Callers(TOO_LARGE);
  const inlined = new Callers('');
  const atFirst = await costOf('x + y, inlined, before the first swap', inlined);
  for (let swap = 0; swap < SWAPS; swap += 1) {
    for (const callers of [called, inlined]) {
      callers.swap();
      for (const way of WAYS) callers.run(way, FIRST_CALLS);
    }
  }
  const many = await costOf('after many swaps', called);
  const first = await firstCost('the first 1,000 calls after a swap', called);
  const after = await costOf('x + y, inlined where it is plain, after many', inlined);
  const ratio = many.hot / many.plain;
  return section(
    'A call (medians, nanoseconds)',
    table(
      ' | plain | hot: | Proxy | hot:/plain | Proxy/plain',
      [many, first, atFirst, after].map(({ name, plain, hot, proxy }) => {
        return [name, plain, hot, proxy, `${digits(hot / plain)}×`, `${digits(proxy / plain)}×`];
      }),
    ),
    goals([ratio <= MAX_RATIO, `a hot: call costs ${ratio.toFixed(2)} plain calls, at most ${MAX_RATIO}`]),
    'V8 inlines a small function as long as it never changed; then there is no call to compare with. After a swap, V8 ' +
      'calls it, like any variable that has held another function.',
  );
}

async function costOf(name: string, callers: Callers) {
  const cost = async (way: Way): Promise<number> =>
    ((await latencyOf(SAMPLES, () => callers.run(way, CALLS))).p50 * 1e6) / CALLS;
  return { name, plain: await cost('plain'), hot: await cost('hot'), proxy: await cost('proxy') };
}

/** `plain` is of a function that was just compiled too. */
async function firstCost(name: string, callers: Callers) {
  let given: unknown;
  const compile = (): void => void (given = callers.compiled());
  const swap = (): void => callers.swap();
  const cost = async (way: Way | 'given', beforeEach: () => void): Promise<number> =>
    ((await latencyOf(SWAPS, () => callers.run(way, FIRST_CALLS, given), { beforeEach })).p50 * 1e6) / FIRST_CALLS;
  return { name, plain: await cost('given', compile), hot: await cost('hot', swap), proxy: await cost('proxy', swap) };
}
