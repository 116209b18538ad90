import { describe, expect, it } from 'vitest';

import type { Command } from '../../../../../controller/src/api/command.ts';
import type { OnReport } from '../../../../../controller/src/api/report.ts';
import type { Result } from '../../../../../controller/src/api/results.ts';
import { announced } from '../../../../../controller/src/commands/records/announced.ts';
import { decode } from '../../../../../protocol/codec.ts';
import { type Progress, progressSchema } from '../../../../../protocol/history/progress.ts';
import { subjectsOf } from '../../../../../protocol/subjects.ts';

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
  times: { write: 1, commit: 1, skew: 7 },
};

/** What is published while a command runs. */
async function publishedOf(command: Command, run: (report: OnReport) => Promise<Result>): Promise<Progress[]> {
  const published: Progress[] = [];
  const nats = {
    isClosed: () => false,
    publish: (_: string, bytes?: unknown) => void published.push(decode(progressSchema, bytes as Uint8Array)),
  };
  await announced({ nats, subjects: subjectsOf('dino') }, command, () => undefined, run).catch(() => undefined);
  return published;
}

describe('what is announced of a command', () => {
  it('is who does what, each node that answers, and the result', async () => {
    const answer = (phase: string, node: string, answered: number) =>
      ({ type: 'progress', phase, answered, expected: 2, node }) as const;
    const published = await publishedOf(rollback, async report => {
      report(answer('prepare', 'fred', 1));
      report(answer('prepare', 'betty', 2));
      report(answer('commit', 'fred', 1));
      return rolledBack;
    });
    expect(published).toEqual([
      { step: 'started', change, command: 'rollback', author: 'wilma', modules: ['demo'] },
      { step: 'phase', change, phase: 'prepare', answered: 2, expected: 2, nodes: ['fred', 'betty'] },
      { step: 'phase', change, phase: 'commit', answered: 1, expected: 2, nodes: ['fred'] },
      {
        step: 'ended',
        change,
        modules: rolledBack.modules,
        outcome: 'committed',
        detail: '1 loaded, 1 silent',
        ms: expect.any(Number) as number,
        times: { write: 1, commit: 1, skew: 7 },
        refusals: {},
        nodes: { loaded: ['fred'], silent: ['betty'] },
      },
    ]);
  });

  it('counts the nodes that refused, by the reason', async () => {
    const refused = (node: string) => ({ node, status: 'refused', reason: 'badfile', detail: '', ms: 1 }) as const;
    const nodes = [refused('fred'), refused('betty')];
    const published = await publishedOf(rollback, async () => ({ ...rolledBack, outcome: 'refused', nodes }));
    expect(published.at(-1)).toMatchObject({ step: 'ended', refusals: { badfile: 2 } });
  });

  it('is the reason why it failed', async () => {
    const published = await publishedOf(rollback, () => Promise.reject(new Error('the stream is full')));
    expect(published.at(-1)).toMatchObject({ step: 'ended', outcome: 'failed', detail: 'the stream is full' });
  });

  it('is nothing of a command that only looks', async () => {
    const status: Command = { ...common, type: 'history', module: null };
    expect(await publishedOf(status, async () => rolledBack)).toEqual([]);
  });
});
