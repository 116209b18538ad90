import { readFileSync } from 'node:fs';

import { describe, expect } from 'vitest';

import { ControlLine } from '../../../bench/control-line.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import type { Cluster, LogLine } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';

const it = clusterTest({ nodes: 2 });

const sourceOf = (module: string): string =>
  readFileSync(new URL(`../../modules/${module}.ts`, import.meta.url), 'utf8');

/** What a call gives on fred. */
async function onFred(cluster: Cluster, call: string): Promise<unknown> {
  const { result, stdout } = await cluster.call(call, '--node', 'fred');
  const [answer] = result.nodes;
  if (answer?.status !== 'value') throw new Error(`${call} gave no value: ${stdout}`);
  return answer.json === undefined ? undefined : (JSON.parse(answer.json) as unknown);
}

/** What fred says of a module, and which process says so. */
async function fred(cluster: Cluster, module: string) {
  const node = (await cluster.nodes()).find(each => each.node === 'fred');
  if (node?.status !== 'present') throw new Error('fred is silent');
  const { pid, startedAt, modules } = node;
  return { process: { pid, startedAt }, module: modules[module] };
}

describe('modules/ticker', () => {
  const PUSHES = 50;
  const PERIOD = 100;
  /** It is quicker, and tells the number of each tick and when it was. */
  const ticker = sourceOf('ticker')
    .replace('const PERIOD = 1_000', `const PERIOD = ${PERIOD}`)
    .replace('function tick(): void {', `$&\n  console.log('tick', ticks() + 1, performance.now());`);
  const ticksIn = ({ msg }: LogLine) => {
    const [, number, at] = /^tick (\d+) ([\d.]+)$/.exec(msg) ?? [];
    return number === undefined ? [] : [{ number: Number(number), at: Number(at) }];
  };

  it(`ticks once a period, never twice, over ${PUSHES} pushes`, async ({ cluster }) => {
    using line = new ControlLine((await cluster.container('controller')).id);
    for (let push = 0; push <= PUSHES; push += 1) {
      cluster.writeModule('ticker', `${ticker}\nexport const pushed = ${push};\n`);
      expect(await line.push('ticker')).toMatchObject({ outcome: 'committed' });
      // Four ticks for five pushes, so that the pushes come at all times of a period.
      await cluster.logged('fred', logged => ticksIn(logged).some(({ number }) => number > (push * 4) / 5));
    }
    for (const node of cluster.names) {
      const ticks = (await cluster.logsOf(node)).flatMap(ticksIn);
      expect(ticks.map(({ number }) => number)).toEqual(ticks.map((_, index) => index + 1));
      // What a tick is late, but for the one that was the least so.
      const late = ticks.map(({ at, number }) => at - number * PERIOD).toSorted((a, b) => a - b);
      expect((late[Math.floor(late.length / 2)] ?? NaN) - (late[0] ?? NaN)).toBeLessThan(PERIOD);
    }
  });
});

describe('a hot import', () => {
  it('is undef until the other module is there, and reaches what is pushed later alone', async ({ cluster }) => {
    expect((await cluster.push('greeter')).exitCode).toBe(0);
    expect(await cluster.hotcast('call', 'greeter.greet("Fred")', '--node', 'fred')).toMatchObject({
      exitCode: 1,
      stdout: 'fred  undef: no function add of module demo is loaded on node fred\n',
    });
    await cluster.push('demo');
    const answers = async (): Promise<unknown> =>
      (await cluster.call('greeter.greet("Fred")')).result.nodes.map(node => node.status === 'value' && node.json);
    expect(await answers()).toEqual(cluster.names.map(() => '"Hello Fred, two and two are 4"'));

    cluster.writeModule('demo', sourceOf('demo').replace('x + y', 'x + y + 1'));
    await cluster.push('demo');
    expect(await answers()).toEqual(cluster.names.map(() => '"Hello Fred, two and two are 5"'));

    await cluster.hotcast('remove', 'demo');
    expect((await cluster.call('greeter.greet("Fred")')).result.nodes).toMatchObject(
      cluster.names.map(node => ({ node, failure: 'undef' })),
    );
  });
});

describe('call --stack', () => {
  it('shows where it was thrown: module, revision, file, line and column', async ({ cluster }) => {
    const inner = `interface Wish {\n  text: string;\n}\n\nexport function refuse(wish: Wish): never {\n  throw new RangeError(wish.text);\n}\n`;
    const outer = `import { refuse } from 'hot:inner';\n\nexport async function ask(text: string) {\n  await undefined;\n  return refuse({ text });\n}\n`;
    cluster.writeModule('inner', inner);
    cluster.writeModule('outer', outer);
    const at = {
      inner: `inner@${shortRevision((await cluster.push('inner')).revision)}`,
      outer: `outer@${shortRevision((await cluster.push('outer')).revision)}`,
    };
    const { exitCode, stdout } = await cluster.hotcast('call', 'outer.ask("not today")', '--node', 'fred', '--stack');
    expect({ exitCode, lines: stdout.trimEnd().split('\n') }).toEqual({
      exitCode: 1,
      lines: [
        'fred  RangeError: not today',
        expect.stringMatching(`^ {4}at \\S*refuse \\(${at.inner} modules/inner\\.ts:6:9\\)$`) as string,
        expect.stringMatching(`^ {4}at \\S*ask \\(${at.outer} modules/outer\\.ts:5:10\\)$`) as string,
      ],
    });
    const plain = await cluster.hotcast('call', 'outer.ask("not today")', '--node', 'fred');
    expect(plain.stdout).toBe('fred  RangeError: not today\n');
  });
});

describe('an error that nobody caught', () => {
  it.for([
    ['in a timer', `setTimeout(() => {\n    throw new TypeError('lost');\n  }, 1)`],
    ['in a promise', `void (async () => {\n    throw new TypeError('lost');\n  })()`],
    ['in a callback of Node', `readFile('/nowhere', () => {\n    throw new TypeError('lost');\n  })`],
  ] as const)(
    'is logged with module and revision and counted, and the node lives: %s',
    async ([, statement], { cluster }) => {
      const source = `import { readFile } from 'node:fs'; export function lose() {\n  ${statement};\n}\nexport const also = readFile;\n`;
      cluster.writeModule('loser', source);
      const revision = shortRevision((await cluster.push('loser')).revision);
      const before = await fred(cluster, 'loser');
      expect(before.module).toMatchObject({ errors: 0 });

      await onFred(cluster, 'loser.lose()');
      const { err, node } = await cluster.logged(
        'fred',
        each => each.module === 'loser' && each.revision === revision && each.err !== undefined,
      );
      expect({ node, type: err?.type, message: err?.message }).toEqual({
        node: 'fred',
        type: 'TypeError',
        message: 'lost',
      });
      expect(err?.stack).toContain(`loser@${revision} modules/loser.ts:3:11`);

      const after = await fred(cluster, 'loser');
      expect(after.process).toEqual(before.process);
      expect(after.module).toMatchObject({ errors: 1, calls: 1 });
    },
  );
});

describe('a stream', () => {
  const counting = (name: string): string => `
    const { data } = import.meta.hot;
    export async function* count() {
      yield '${name} begins';
      await new Promise<void>(resolve => { data['go'] = resolve; console.log('counting'); });
      yield '${name} ends';
    }
    export const go = () => (data['go'] as () => void)();
  `;

  it('that began on old ends on old', async ({ cluster }) => {
    cluster.writeModule('streamer', counting('old'));
    await cluster.push('streamer');
    const counted = onFred(cluster, 'streamer.count()');
    await cluster.logged('fred', line => line.module === 'streamer' && line.msg === 'counting');
    cluster.writeModule('streamer', counting('new'));
    expect((await cluster.push('streamer')).exitCode).toBe(0);
    expect((await fred(cluster, 'streamer')).module).toMatchObject({ old: { inFlight: 1 } });
    await onFred(cluster, 'streamer.go()');
    expect(await counted).toEqual(['old begins', 'old ends']);
    expect((await fred(cluster, 'streamer')).module).toMatchObject({ inFlight: 0, old: null });
  });
});

describe('codeChange', () => {
  const flat = `
    const data = import.meta.hot.data as { count?: number };
    export const increment = (): number => (data.count = (data.count ?? 0) + 1);
    export const codeChange = (old: { history?: number[] }) => ({ count: old.history?.at(-1) ?? 0 });
  `;
  const listed = `
    const data = import.meta.hot.data as { history?: number[] };
    export const increment = (): number[] => {
      const history = (data.history ??= []);
      history.push((history.at(-1) ?? 0) + 1);
      return history;
    };
    export const codeChange = (old: { count: number }) => ({ history: [old.count] });
  `;

  it('changes the shape of the data with a push, and back with a rollback', async ({ cluster }) => {
    cluster.writeModule('shape', flat);
    const first = await cluster.push('shape');
    expect(await onFred(cluster, 'shape.increment()')).toBe(1);

    cluster.writeModule('shape', listed);
    expect((await cluster.push('shape')).exitCode).toBe(0);
    expect(await onFred(cluster, 'shape.increment()')).toEqual([1, 2]);

    expect((await cluster.hotcast('rollback', 'shape')).exitCode).toBe(0);
    expect(await onFred(cluster, 'shape.increment()')).toBe(3);
    expect((await fred(cluster, 'shape')).module?.revision).toBe(first.revision);
  });

  it('that throws on one node leaves every node on the version and the data before', async ({ cluster }) => {
    const throwing = `
      export const increment = () => 'never';
      export const codeChange = (data: { count?: number }) => {
        if (data.count === 1) throw new RangeError('not from one');
        return {};
      };
    `;
    cluster.writeModule('careful', flat);
    const first = await cluster.push('careful');
    await onFred(cluster, 'careful.increment()');
    cluster.writeModule('careful', throwing);
    const { exitCode, stdout } = await cluster.hotcast('push', 'careful');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^fred +refused +on_load_failure: RangeError: not from one$/m);
    expect(await onFred(cluster, 'careful.increment()')).toBe(2);
    expect((await cluster.revisions())['bambam']).toMatchObject({ careful: first.revision });
  });
});

describe('what a version opened', () => {
  /** Asks a port of the node that it runs on: what it answers, or why it does not. */
  const PROBE = `
    export async function get(port: number) {
      try {
        return await (await fetch('http://127.0.0.1:' + port)).text();
      } catch (error) {
        return (error as { cause?: { code?: string } }).cause?.code;
      }
    }
  `;
  const answering = (name: string): string => `createServer((_, response) => response.end('${name}'))`;
  const EXPORT = 'export const nothing = 1;';

  it.for([
    ['signal', 8101, `${answering('open')}.listen({ port: 8101, signal: import.meta.hot.signal });`],
    [
      'dispose',
      8102,
      `const server = ${answering('open')}.listen(8102);
       import.meta.hot.dispose(() => new Promise(done => { server.close(done); server.closeAllConnections(); }));`,
    ],
  ] as const)('is closed by %s after the next push', async ([, port, statement], { cluster }) => {
    cluster.writeModule('probe', PROBE);
    await cluster.push('probe');
    cluster.writeModule('server', `import { createServer } from 'node:http';\n${statement}\n${EXPORT}`);
    await cluster.push('server');
    expect(await onFred(cluster, `probe.get(${port})`)).toBe('open');
    cluster.writeModule('server', EXPORT);
    await cluster.push('server');
    expect(await onFred(cluster, `probe.get(${port})`)).toBe('ECONNREFUSED');
  });

  it('is followed by what the next version opens on the same port, when both share it', async ({ cluster }) => {
    cluster.writeModule('probe', PROBE);
    await cluster.push('probe');
    for (const name of ['one', 'two', 'three']) {
      const listen = `listen({ port: 8103, reusePort: true, signal: import.meta.hot.signal })`;
      cluster.writeModule(
        'server',
        `import { createServer } from 'node:http';\n${answering(name)}.${listen};\n${EXPORT}`,
      );
      expect((await cluster.push('server')).exitCode).toBe(0);
      expect(await onFred(cluster, 'probe.get(8103)')).toBe(name);
    }
  });

  it('is silent after the purge, whatever it was', async ({ cluster }) => {
    const busy = (name: string): string => `
      import { connect, createServer } from 'node:net';
      import { setInterval as often } from 'node:timers';
      import { setInterval as ticks, setTimeout as sleep } from 'node:timers/promises';

      const { data, signal } = import.meta.hot;
      type Seen = Record<string, number>;
      const seen = (data['${name}'] = {} as Seen);
      const saw = (what: string) => void (seen[what] = (seen[what] ?? 0) + 1);

      setInterval(saw, 5, 'interval');
      globalThis.setInterval(saw, 5, 'interval of globalThis');
      often(saw, 5, 'interval of node:timers');
      const timeout = () => { saw('timeout'); setTimeout(timeout, 5); };
      timeout();
      const immediate = () => { saw('immediate'); setTimeout(() => setImmediate(immediate), 5); };
      immediate();
      void (async () => { try { for (;;) { await sleep(5); saw('sleep'); } } finally { saw('sleep'); } })();
      void (async () => { try { for await (const _ of ticks(5)) saw('ticks'); } finally { saw('ticks'); } })();
      process.on('warning', () => saw('warning'));
      setInterval(() => process.emitWarning('once more'), 5);
      const server = createServer(socket => socket.on('data', () => saw('server')).on('error', () => undefined));
      server.listen({ port: 0, host: '127.0.0.1', signal }, () => {
        const socket = connect({ port: (server.address() as { port: number }).port, signal } as never);
        socket.on('error', () => undefined);
        const write = setInterval(() => socket.write('.'), 5);
        socket.on('close', () => clearInterval(write));
      });

      export const counts = (name: string) => data[name];
    `;
    const kinds = 9;
    const deadline = performance.now() + 30_000;
    /** The counts of a version, once each of its things has been seen some times. */
    const running = async (name: string): Promise<Record<string, number>> => {
      let counts: Record<string, number> = {};
      do counts = (await onFred(cluster, `busy.counts("${name}")`)) as Record<string, number>;
      while (
        (Object.keys(counts).length < kinds || Math.min(...Object.values(counts)) < 5) &&
        performance.now() < deadline
      );
      return counts;
    };
    cluster.writeModule('busy', busy('one'));
    await cluster.push('busy');
    expect(Object.keys(await running('one'))).toHaveLength(kinds);
    cluster.writeModule('busy', busy('two'));
    await cluster.push('busy');
    const after = await onFred(cluster, 'busy.counts("one")');
    expect(Object.keys(await running('two'))).toHaveLength(kinds);
    expect(await onFred(cluster, 'busy.counts("one")')).toEqual(after);
  });
});
