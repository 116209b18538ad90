import { describe, expect, it } from 'vitest';

import type { Command } from '../../../../../controller/src/api/command.ts';
import type { Result } from '../../../../../controller/src/api/results.ts';
import { audited } from '../../../../../controller/src/commands/records/audited.ts';
import type { AuditEntry } from '../../../../../protocol/history/audit-entry.ts';
import { UsageError } from '../../../../../protocol/errors.ts';

const common = { cookie: null, timeoutMs: 5_000 };
const change = '0b5e6f7c-3d8a-4c1e-9f2b-7a6d5c4b3a29';
const rollback: Command = { ...common, type: 'rollback', modules: ['demo'], author: 'wilma', change, to: null };
const rolledBack: Result = {
  command: 'rollback',
  modules: [{ module: 'demo', revision: 'f'.repeat(64) }],
  outcome: 'committed',
  detail: '',
  nodes: [
    { node: 'fred', status: 'loaded', ms: 1 },
    { node: 'betty', status: 'silent' },
  ],
  times: { write: 1, commit: 1, skew: 1 },
};

/** What is written down of a command, and what its client is told. */
async function entriesOf(command: Command, run: () => Promise<Result>, write = async () => undefined) {
  const entries: AuditEntry[] = [];
  const warnings: unknown[] = [];
  const audit = { write: async (entry: AuditEntry) => (entries.push(entry), write()) };
  const result = await audited(audit, command, report => warnings.push(report), run).catch((error: unknown) => error);
  return { entries, warnings, result };
}

describe('the audit', () => {
  it('has on which part of the fleet a push is a canary', async () => {
    const canary = { scope: '10%', maxErrors: 0, minCalls: 1, watch: 10_000 };
    const what = { force: false, check: true, dryRun: false, canary };
    const push: Command = { ...common, type: 'push', modules: ['demo'], author: 'wilma', change, ...what };
    const { entries } = await entriesOf(push, () => Promise.reject(new UsageError('no')));
    expect(entries).toMatchObject([{ command: 'push', canary: '10%' }]);
  });

  it('has what came of a command, by whom', async () => {
    const said = { message: 'why not', git: { commit: '0123456789ab', dirty: true } };
    const { entries, result } = await entriesOf({ ...rollback, ...said }, async () => rolledBack);
    expect(result).toBe(rolledBack);
    expect(entries).toEqual([
      {
        at: expect.any(Number) as number,
        change,
        ...said,
        author: 'wilma',
        command: 'rollback',
        modules: [{ module: 'demo', revision: 'f'.repeat(64) }],
        outcome: 'committed',
        detail: '1 loaded, 1 silent',
      },
    ]);
  });

  it('has what failed, and why', async () => {
    const failure = new UsageError('demo was never pushed');
    const { entries, result } = await entriesOf(rollback, () => Promise.reject(failure));
    expect(result).toBe(failure);
    expect(entries).toMatchObject([
      { modules: [{ module: 'demo', revision: null }], outcome: 'failed', detail: 'demo was never pushed' },
    ]);
  });

  it('does not have what only looks', async () => {
    const ping: Command = { ...common, type: 'ping', node: null };
    const { entries } = await entriesOf(ping, async () => ({ command: 'ping', nodes: [] }));
    expect(entries).toEqual([]);
  });

  it('that can not be written fails no command, and is said', async () => {
    const { result, warnings } = await entriesOf(
      rollback,
      async () => rolledBack,
      () => Promise.reject(new Error('no space')),
    );
    expect(result).toBe(rolledBack);
    expect(warnings).toEqual([{ type: 'warning', message: 'the audit could not be written: no space' }]);
  });
});
