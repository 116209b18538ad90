import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import type { CommandOf } from '../../../../controller/src/api/command.ts';
import type { Report } from '../../../../controller/src/api/report.ts';
import type { CommandContext } from '../../../../controller/src/commands/context.ts';
import { restore } from '../../../../controller/src/commands/restore.ts';
import { NOBODY } from '../../../../controller/src/fleet/departures.ts';
import type { HeadWrite } from '../../../../controller/src/store/heads.ts';
import { encode } from '../../../../protocol/codec.ts';
import type { Head } from '../../../../protocol/head.ts';
import type { NodeDescription } from '../../../../protocol/messages.ts';
import { lastToken, subjectsOf } from '../../../../protocol/subjects.ts';
import { descriptionOf, headOf, moduleStateOf } from '../../fixtures.ts';

const revision = 'a'.repeat(64);
const nodes = ['fred', 'betty'];

/**
 * Restores a backup with one module, `saved`, over a stream with these heads.
 *
 * @param running what fred and betty run.
 * @param signed the sequences of the heads that they can show.
 */
async function restoreOver(heads: Head[], running: NodeDescription['modules'], signed: Record<string, number>) {
  type Callback = (error: null, message: { subject: string; data: Uint8Array }) => void;
  let callback: Callback = () => undefined;
  const shown = new Map<string, number>();
  const answerOf = (verb: string, node: string): object => {
    if (verb === 'describe') return descriptionOf(node, running);
    if (verb !== 'heads') return { status: 'loaded', node };
    const envelopes = Object.keys(signed).map(module => [module, Buffer.from(module).toString('base64')]);
    return { node, heads: Object.fromEntries(envelopes) };
  };
  const nats = {
    subscribe: (_: string, how: { callback: Callback }) => {
      ({ callback } = how);
      return { unsubscribe: () => undefined };
    },
    publish: (subject: string, _body: Uint8Array, { reply }: { reply: string }) => {
      for (const node of nodes) {
        callback(null, { subject: `${reply}.${node}`, data: encode(answerOf(lastToken(subject), node)) });
      }
    },
  };
  const written: Head[] = [];
  const warnings: string[] = [];
  const members = nodes.map(node => ({ node, container: node }));
  const context = {
    nats: nats as unknown as NatsConnection,
    subjects: subjectsOf('dino'),
    membership: {
      expected: async () => ({ members, awaited: new Set(nodes), departed: NOBODY, warning: null }),
      noteSilent: () => undefined,
    },
    store: {
      heads: async () => heads,
      lastHead: async (module: string) => ({
        head: heads.find(head => head.module === module) ?? null,
        position: 0,
      }),
      highestSequence: (module: string) => shown.get(module) ?? 0,
      // What no key has signed is ignored.
      noteHead: (module: string) => void shown.set(module, signed[module] ?? 0),
      writeHeads: async (writes: readonly HeadWrite[]) => written.push(...writes.map(({ head }) => head)) > 0,
      signHead: () => new Uint8Array(),
      writeHeadResult: async () => undefined,
    },
  };
  const modules = [{ module: 'saved', revision, manifest: null }];
  const command = { type: 'restore', author: 'wilma', change: 'c', modules, backupAt: 5, timeoutMs: 100 };
  const report = (message: Report): void => void (message.type === 'warning' && warnings.push(message.message));
  const signal = new AbortController().signal;
  const holds = (): void => undefined;
  await restore(
    context as unknown as CommandContext,
    command as unknown as CommandOf<'restore'>,
    report,
    signal,
    holds,
  );
  return { heads: written.map(({ module, revision: main, sequence }) => [module, main, sequence]), warnings };
}

describe('a restore', () => {
  it('removes the modules that the stream has and the backup has not', async () => {
    const { heads } = await restoreOver([headOf('later', revision, 4), headOf('gone', null, 2)], {}, {});
    expect(heads).toEqual([
      ['saved', revision, 1],
      ['later', null, 5],
    ]);
  });

  it('removes the modules that nodes run, and whose heads the stream has lost, above these heads', async () => {
    const running = { saved: moduleStateOf(revision, 3), later: moduleStateOf(revision, 7) };
    const { heads, warnings } = await restoreOver([], running, { saved: 3, later: 7 });
    expect([heads, warnings]).toEqual([
      [
        ['saved', revision, 4],
        ['later', null, 8],
      ],
      [],
    ]);
  });

  it('names what no signed head has loaded, and leaves it', async () => {
    const running = { tool: moduleStateOf(revision, 0), made: moduleStateOf(revision, 9) };
    const { heads, warnings } = await restoreOver([], running, { made: 0 });
    expect(heads).toEqual([['saved', revision, 1]]);
    expect(warnings).toEqual([
      'no head has loaded these, so they stay until their nodes restart: ' +
        'tool on fred, made on fred, tool on betty, made on betty',
    ]);
  });
});
