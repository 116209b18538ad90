import { describe, expect, it } from 'vitest';

import type { Report } from '../../../../../controller/src/api/report.ts';
import { events } from '../../../../../controller/src/commands/records/events.ts';
import type { CommandContext } from '../../../../../controller/src/commands/context.ts';
import { renderEvent } from '../../../../../controller/src/cli/render/events.ts';
import { changeEvent, nodeEvent } from '../../../../../protocol/history/event.ts';
import type { AuditEntry } from '../../../../../protocol/history/audit-entry.ts';

const revision = '3f2a9c81b0d4'.padEnd(64, '0');
const entry: AuditEntry = {
  at: 1_700_000_000_000,
  change: null,
  author: 'wilma',
  command: 'push',
  modules: [{ module: 'demo', revision }],
  outcome: 'committed',
  detail: '30 loaded',
};
const stopped = nodeEvent(9, {
  at: entry.at,
  node: 'fred',
  container: 'c1',
  startedAt: 1,
  change: 'stopped',
  detail: 'it said goodbye',
});

/** Carries out the command on an audit that has positions 5 to 8. */
async function run(since: number | null, follow: boolean) {
  const reports: Report[] = [];
  const held: string[] = [];
  const stop = new AbortController();
  const all = [5, 6, 7, 8].map(position => changeEvent(position, entry));
  const audit = {
    bounds: async () => ({ first: 5, last: 8 }),
    after: async (position: number) => {
      const found = all.filter(event => event.position > position);
      if (found.length === 0) stop.abort(new Error('gone'));
      const last = found.at(-1)?.position ?? position;
      return { events: found, position: last, missing: last - position - found.length };
    },
    onWrite: () => ({ [Symbol.dispose]: () => undefined }),
  };
  const result = await events(
    { audit } as unknown as CommandContext,
    { type: 'events', cookie: null, timeoutMs: 10, since, follow },
    report => reports.push(report),
    stop.signal,
    line => held.push(line),
  ).catch((error: unknown) => String(error));
  const positions = reports.flatMap(each => (each.type === 'happened' ? each.events : [])).map(each => each.position);
  const warnings = reports.flatMap(each => (each.type === 'warning' ? [each.message] : []));
  return { result, positions, warnings, held };
}

describe('events', () => {
  it('reports all that is kept, what is missing, and where to go on', async () => {
    const { result, positions, warnings } = await run(null, false);
    expect(result).toEqual({ command: 'events', position: 8 });
    expect(positions).toEqual([5, 6, 7, 8]);
    expect(warnings).toEqual(['4 events are missing: they are dropped already, or of another release']);
  });

  it('reports what came after a position, and nothing that is not there yet', async () => {
    expect(await run(6, false)).toMatchObject({ positions: [7, 8], warnings: [] });
    expect(await run(8, false)).toMatchObject({ result: { position: 8 }, positions: [] });
    expect((await run(9, false)).result).toMatch(/^UsageError: the audit has no position 9, the last one is 8/);
  });

  it('follows from now on, or from a position, and says where to go on when it is interrupted', async () => {
    expect(await run(null, true)).toMatchObject({ result: 'Error: gone', positions: [] });
    const { positions, held } = await run(7, true);
    expect(positions).toEqual([8]);
    expect(held.at(-1)).toBe('go on with --since 8');
  });
});

describe('an event', () => {
  it('has the cause of a rollback as a field', () => {
    const of = (command: string) => changeEvent(1, { ...entry, command });
    expect(of('push')).not.toHaveProperty('cause');
    expect(of('rollback')).toMatchObject({ command: 'rollback', cause: 'operator' });
    expect(of('rollback (canary)')).toMatchObject({ command: 'rollback', cause: 'canary' });
    expect(of('rollback (watchdog)')).toMatchObject({ command: 'rollback', cause: 'watchdog' });
  });

  it('is one line, whatever is in it', () => {
    const evil = { ...entry, author: 'wil\u001b[2Jma', detail: 'one\ntwo', message: 'a\nb', canary: '1' };
    expect([
      renderEvent(changeEvent(7, { ...entry, command: 'rollback (canary)' })),
      renderEvent(stopped),
      renderEvent(changeEvent(8, evil)),
    ]).toEqual([
      '     7  2023-11-14T22:13:20.000Z  wilma  rollback (canary)  demo@3f2a9c81b0d4  committed  30 loaded',
      '     9  2023-11-14T22:13:20.000Z  fred  stopped  it said goodbye',
      String.raw`     8  2023-11-14T22:13:20.000Z  wil\x1b[2Jma  push  demo@3f2a9c81b0d4 as a canary on 1  committed  one  "a\nb"`,
    ]);
  });
});
