import type { CodeServer } from '../../node-image/src/modules/code-server.ts';
import { figuresOf } from '../stats.ts';
import { bundleOf } from '../subject.ts';
import { latencyOf, load, silentServer } from './node.ts';

/** Calls in one sample: few enough that most samples end before another process gets the processor. */
const CALLS = 100_000;
const SAMPLES = 300;
const WARM_UP = 60;

/** Swaps, and the calls that are measured right after each. */
const SWAPS = 100;
const FIRST_CALLS = 1_000;

const WAYS = ['plain', 'hot', 'proxy'] as const;
type Way = (typeof WAYS)[number];

/** More than V8 inlines, in a branch that never runs. */
const TERMS = Array.from({ length: 60 }, (_, i) => `t += x * ${i} ^ (y + ${i});`).join(' ');
const TOO_LARGE = `if (x === -1) { let t = 0; ${TERMS} return t; }`;

/** Work of so many steps, which take about half a nanosecond each. */
const work = (steps: number): string =>
  `let t = 0; for (let i = 0; i < ${steps}; i++) t = (t + x * i) | 0; if (t === 0.5) return t;`;

/** Functions that are called, by what is said of them. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  'does next to nothing': TOO_LARGE,
  'works for some 10 ns': `${work(20)} ${TOO_LARGE}`,
  'works for some 100 ns': `${work(200)} ${TOO_LARGE}`,
};

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

export type HotCalls = Awaited<ReturnType<typeof measureHotCalls>>;

/** Measures a call of `hot:callee` beside a plain call and one through a Proxy (nanoseconds). */
export async function measureHotCalls() {
  const inlined = new Callers('');
  const atFirst = costOf('x + y, inlined, before the first swap', inlined);
  const all = Object.entries(FUNCTIONS).map(([name, body]) => ({ name, callers: new Callers(body) }));
  for (let swap = 0; swap < SWAPS; swap += 1) {
    for (const callers of [inlined, ...all.map(each => each.callers)]) {
      callers.swap();
      for (const way of WAYS) callers.run(way, FIRST_CALLS);
    }
  }
  return {
    /** After many swaps, functions that V8 does not inline. */
    swapped: all.map(({ name, callers }) => costOf(name, callers)),
    inlined: [atFirst, costOf('x + y, inlined where it is plain, after many swaps', inlined)],
    first: await firstCost('does next to nothing, the first 1,000 calls after a swap', new Callers(TOO_LARGE)),
  };
}

/** Samples of all ways in turns, and what a hot call allocates more than a plain one (bytes). */
function costOf(name: string, callers: Callers) {
  const samples: Record<Way, number[]> = { plain: [], hot: [], proxy: [] };
  const more: number[] = [];
  for (let sample = -WARM_UP; sample < SAMPLES; sample += 1) {
    const bytes = {} as Record<Way, number>;
    for (const way of WAYS) {
      const { heapUsed } = process.memoryUsage();
      const startedAt = performance.now();
      callers.run(way, CALLS);
      const ns = ((performance.now() - startedAt) * 1e6) / CALLS;
      bytes[way] = (process.memoryUsage().heapUsed - heapUsed) / CALLS;
      if (sample >= 0) samples[way].push(ns);
    }
    more.push(bytes.hot - bytes.plain);
  }
  const p50 = (values: readonly number[]): number => figuresOf(values).p50;
  const ratio = p50(samples.hot.map((ns, index) => ns / (samples.plain[index] ?? NaN)));
  const { plain, hot, proxy } = samples;
  return { name, plain: p50(plain), hot: p50(hot), proxy: p50(proxy), ratio, bytes: p50(more) };
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
