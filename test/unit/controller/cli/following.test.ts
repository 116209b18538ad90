import { describe, expect, it } from 'vitest';

import { controller, hotcast, pong, useSocket } from './run-cli.ts';

useSocket();

describe('a command that follows', () => {
  it('prints what modules log while it is told, a line of JSON an entry', async () => {
    const entry = { at: 1, module: 'demo', revision: 'a'.repeat(64), level: 'info', text: 'boss', count: 1 } as const;
    await controller((_, report) => {
      for (const node of ['fred', 'betty'])
        report({ type: 'logged', entries: [{ ...entry, nodes: [node] }], dropped: 0 });
      report({ type: 'logged', entries: [], dropped: 7 });
      return Promise.resolve(pong);
    });
    const plain = await hotcast(['tail']);
    expect(plain.out.slice(0, 3)).toEqual([
      expect.stringContaining(' fred demo@aaaaaaaaaaaa  boss'),
      expect.stringContaining(' betty demo@'),
      expect.stringContaining('7 dropped'),
    ]);
    const { out } = await hotcast(['tail', '--json']);
    expect(out.slice(0, 3).map(line => JSON.parse(line) as unknown)).toEqual([
      { logged: { ...entry, nodes: ['fred'] } },
      { logged: { ...entry, nodes: ['betty'] } },
      { dropped: 7 },
    ]);
  });

  it('prints events as they come, a line of JSON each', async () => {
    const change = { at: 1, node: 'fred', container: 'c1', startedAt: 1, change: 'started', detail: '' } as const;
    const happened = [3, 4].map(position => ({ kind: 'node', position, ...change }) as const);
    await controller((_, report) => {
      report({ type: 'happened', events: happened });
      return Promise.resolve({ command: 'events', position: 4 });
    });
    const { out, status } = await hotcast(['events', '--json']);
    expect(out.flatMap(text => text.split('\n')).map(line => JSON.parse(line) as unknown)).toEqual([
      ...happened.map(event => ({ event })),
      { command: 'events', position: 4 },
    ]);
    expect(status).toBe(0);
    expect((await hotcast(['events'])).out.join('\n')).toMatch(
      / 3  1970-.* fred  started\n[^]*up to position 4 \(go on with --since 4\)$/,
    );
  });
});
