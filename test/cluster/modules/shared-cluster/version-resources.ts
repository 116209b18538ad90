import { describe, expect } from 'vitest';

import { it } from './cluster.ts';
import { valueOnFred } from './fred.ts';

describe('a resource of a version', () => {
  /** Requests a port of its own node. Returns the answer, or the code of the error. */
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

  it('hands its port over to its successor; a removal closes it', async ({ cluster }) => {
    cluster.writeModule('probe', PROBE);
    await cluster.push('probe');
    for (const [name, host] of [
      ['one', ''],
      ['two', ''],
      ['three', `, '0.0.0.0'`],
      ['four', `, '0.0.0.0'`],
    ] as const) {
      const server = `import { createServer } from 'node:http';\n${answering(name)}.listen(8103${host});\n${EXPORT}`;
      cluster.writeModule('server', server);
      expect((await cluster.push('server')).exitCode).toBe(0);
      expect(await valueOnFred(cluster, 'probe.get(8103)')).toBe(name);
      if (name === 'two') await cluster.hotcast('remove', 'server');
    }
    await cluster.hotcast('remove', 'server');
    expect(await valueOnFred(cluster, 'probe.get(8103)')).toBe('ECONNREFUSED');
  });

  it('that cannot listen makes the push fail', async ({ cluster }) => {
    cluster.writeModule(
      'server',
      `import { createServer } from 'node:http';\n${answering('x')}.listen(8080);\n${EXPORT}`,
    );
    const { exitCode, stdout } = await cluster.push('server');
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain('port 8080 is in use');
  });

  it('of any kind does nothing after the purge', async ({ cluster }) => {
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
    /** The counts of a version, when each of its resources was seen five times. */
    const running = async (name: string): Promise<Record<string, number>> => {
      let counts: Record<string, number> = {};
      do counts = (await valueOnFred(cluster, `busy.counts("${name}")`)) as Record<string, number>;
      while (
        (Object.keys(counts).length < kinds || Math.min(...Object.values(counts)) < 5) &&
        performance.now() < deadline
      );
      return counts;
    };
    cluster.writeModule('busy', busy('one'));
    await cluster.push('busy');
    expect(Object.keys(await running('one'))).toHaveLength(kinds);
    const fred = (await cluster.nodes()).find(({ node }) => node === 'fred');
    const owned = Object.entries(fred?.status === 'present' ? (fred.owned ?? {}) : {});
    const [, open] = owned.find(([name]) => name.startsWith('busy@')) ?? [];
    expect(open?.timers).toBeGreaterThan(2);
    cluster.writeModule('busy', busy('two'));
    await cluster.push('busy');
    const after = await valueOnFred(cluster, 'busy.counts("one")');
    expect(Object.keys(await running('two'))).toHaveLength(kinds);
    expect(await valueOnFred(cluster, 'busy.counts("one")')).toEqual(after);
  });
});
