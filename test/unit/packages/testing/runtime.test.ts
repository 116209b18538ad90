import { describe, expect, it, vi } from 'vitest';

import { createRuntime } from '../../../../packages/testing/src/runtime/runtime.ts';

const COUNTER = `
  const data = import.meta.hot.dataOf({ count: 0 });
  export const increment = (): number => (data.count += 1);
`;

const MIGRATED = `
  import type { CodeChange } from '@hotcast/types';
  export const codeChange = (old => ({ total: old.count * 10 })) satisfies CodeChange<{ count: number }, { total: number }>;
  const data = import.meta.hot.dataOf({ total: 0 });
  export const increment = (): number => (data.total += 1);
`;

describe('load', () => {
  it('gives the exports of the current version at each use', async () => {
    await using runtime = await createRuntime({ modules: { counter: COUNTER } });
    const counter = await runtime.load('counter');
    expect(counter.increment()).toBe(1);
    await runtime.swap('counter', { edit: source => source.replace('+= 1', '+= 5') });
    expect(counter.increment()).toBe(6);
  });

  it('loads what the module imports, and a stand-in in place of it', async () => {
    const modules = {
      greeter: `export const greet = (name: string) => 'Hello ' + name;`,
      web: `import { greet } from 'hot:greeter'; export const page = (name: string) => greet(name) + '!';`,
    };
    await using runtime = await createRuntime({ modules });
    const web = await runtime.load('web');
    expect(web.page('Fred')).toBe('Hello Fred!');
    await runtime.swap('greeter', { exports: { greet: () => 'Moin' } });
    expect(web.page('Fred')).toBe('Moin!');
  });

  it('converts the data that an earlier version left', async () => {
    await using runtime = await createRuntime({ modules: { counter: MIGRATED } });
    await runtime.load('counter', { data: { count: 4 } });
    expect(runtime.data('counter')).toEqual({ total: 40 });
  });

  it('says file, line and caret when a module does not compile', async () => {
    await using runtime = await createRuntime({ modules: { broken: 'export const f = () => {\n  return 1 +;\n};\n' } });
    await expect(runtime.load('broken')).rejects.toThrow(
      /modules\/broken\.ts:2:13: Unexpected ";"\n {2}2 \| {3}return 1 \+;\n {18}\^/,
    );
  });

  it('says which modules there are when one is not', async () => {
    await using runtime = await createRuntime({ modules: { counter: COUNTER } });
    await expect(runtime.load('demo')).rejects.toThrow('modules here: counter');
    await expect(runtime.swap('counter')).rejects.toThrow(`counter is not loaded: await load('counter') first`);
  });
});

describe('swap', () => {
  it('keeps the data, and lets codeChange convert a copy of it', async () => {
    await using runtime = await createRuntime({ modules: { counter: COUNTER } });
    const counter = await runtime.load('counter');
    counter.increment();
    await runtime.swap('counter', { source: MIGRATED });
    expect(runtime.data('counter')).toEqual({ total: 10 });
    expect(counter.increment()).toBe(11);
  });

  it('is refused when codeChange throws, and the version before goes on', async () => {
    await using runtime = await createRuntime({ modules: { counter: COUNTER } });
    const counter = await runtime.load('counter');
    counter.increment();
    const source = `export const codeChange = () => { throw new RangeError('too old'); }; ${COUNTER}`;
    await expect(runtime.swap('counter', { source })).rejects.toThrow(/the node refuses counter: .*too old/);
    expect(counter.increment()).toBe(2);
  });

  it('ends the timers of the version before, and waits for its dispose callbacks', async () => {
    vi.useFakeTimers();
    try {
      const ticker = `
        const data = import.meta.hot.dataOf({ ticks: 0, disposed: 0 });
        setInterval(() => (data.ticks += 1), 100);
        import.meta.hot.dispose(async () => { await Promise.resolve(); data.disposed += 1; });
        export const ticks = () => data.ticks;
      `;
      await using runtime = await createRuntime({ modules: { ticker } });
      const { ticks } = await runtime.load('ticker');
      vi.advanceTimersByTime(300);
      expect(ticks()).toBe(3);
      await runtime.swap('ticker');
      expect(runtime.data('ticker')).toEqual({ ticks: 3, disposed: 1 });
      vi.advanceTimersByTime(300);
      expect(runtime.data('ticker')).toMatchObject({ ticks: 6 });
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves a call on the version on which it started', async () => {
    const slow = `export const ask = async () => {
      while (!import.meta.hot.data['open']) await new Promise(resolve => setImmediate(resolve));
      return 'one';
    };`;
    await using runtime = await createRuntime({ modules: { slow } });
    await runtime.load('slow');
    const running = runtime.call('slow.ask');
    await runtime.swap('slow', { edit: source => source.replace('one', 'two') });
    expect(runtime.versions('slow').map(({ state }) => state)).toEqual(['current', 'draining']);
    runtime.data('slow')['open'] = true;
    expect(await running).toBe('one');
    expect(await runtime.call('slow.ask')).toBe('two');
    expect(runtime.versions('slow').map(({ state }) => state)).toEqual(['current']);
  });
});

describe('call', () => {
  it('gives a copy of the value, and throws what the function throws', async () => {
    const demo = `
      export const when = (at: Date) => new Map([['at', at]]);
      export const fail = () => { throw new RangeError('no'); };
      export async function* items() { yield 1; yield 2; }
    `;
    type Modules = {
      demo: {
        when: (at: Date) => Map<string, Date>;
        fail: () => never;
        items: () => AsyncGenerator<number>;
      };
    };
    await using runtime = await createRuntime<Modules>({ modules: { demo } });
    await runtime.load('demo');
    expect(await runtime.call('demo.when', new Date(0))).toEqual(new Map([['at', new Date(0)]]));
    expect((await runtime.call('demo.items')).length).toBe(2);
    const failed = await runtime.call('demo.fail').catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: 'RangeError', message: 'no' });
    expect((failed as Error).stack).toContain('modules/demo.ts:3:41');
    // @ts-expect-error -- There is no such function.
    await expect(runtime.call('demo.other')).rejects.toThrow('module demo exports no function other');
  });
});

describe('the log', () => {
  it('has what modules print, and the errors of their timers', async () => {
    const noisy = `
      export const speak = () => console.log('hello');
      export const fail = () => void setImmediate(() => { throw new Error('later'); });
    `;
    await using runtime = await createRuntime({ modules: { noisy }, print: false });
    const { speak, fail } = await runtime.load('noisy');
    speak();
    fail();
    await vi.waitUntil(() => runtime.log.length === 2);
    expect(runtime.log[0]).toEqual({ level: 'info', module: 'noisy', text: 'hello' });
    expect(runtime.log[1]?.text).toMatch(/later[^]*modules\/noisy\.ts:3/);
  });
});

describe('remove', () => {
  it('prunes, and an import of it throws undef', async () => {
    const modules = { demo: `export const f = () => 1; import.meta.hot.prune(() => console.log('pruned'));` };
    await using runtime = await createRuntime({ modules, print: false });
    const demo = await runtime.load('demo');
    await runtime.remove('demo');
    expect(runtime.log.map(({ text }) => text)).toEqual(['pruned']);
    expect(() => demo.f()).toThrow('no export f of module demo is loaded');
  });
});

describe('a folder of modules', () => {
  it('has its npm packages', async () => {
    await using runtime = await createRuntime({ modules: 'modules' });
    const { default: web } = await runtime.load('web');
    const response = await web.fetch(new Request('http://localhost/hello/Fred'));
    expect(await response.text()).toBe('Hello Fred\n');
  });
});
