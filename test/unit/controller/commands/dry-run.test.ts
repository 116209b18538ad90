import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import type { CommandOf } from '../../../../controller/src/api/command.ts';
import type { CommandContext } from '../../../../controller/src/commands/context.ts';
import { dryRun } from '../../../../controller/src/commands/dry-run.ts';
import { encode } from '../../../../protocol/codec.ts';
import type { KeptOff } from '../../../../protocol/kept-off.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { bundleOf, headOf } from '../../fixtures.ts';

const bundle = bundleOf('demo', 'exports.x = 1;');
const names = ['fred', 'bambam', 'betty'];
const ban: KeptOff = {
  node: 'betty',
  revision: bundle.revision,
  instead: null,
  cause: 'memory',
  detail: 'grew',
  at: 0,
};

/** Runs a dry run on three nodes, each of which prepares and evaluates everything. */
async function run(options: Partial<CommandOf<'push'>>, keptOff: KeptOff[] = []) {
  type Callback = (error: null, message: { subject: string; data: Uint8Array }) => void;
  let callback: Callback = () => undefined;
  const answer = (inbox: string, of: (node: string) => object): void => {
    for (const node of names) callback(null, { subject: `${inbox}.${node}`, data: encode(of(node)) });
  };
  const nats = {
    subscribe: (_: string, how: { callback: Callback }) => {
      ({ callback } = how);
      return { unsubscribe: () => undefined };
    },
    publish: (_: string, _body: Uint8Array, { reply }: { reply: string }) =>
      answer(reply, node => ({ status: 'would_load', node })),
  };
  const head = { ...headOf('demo', null, 1), keptOff };
  const context = {
    nats: nats as unknown as NatsConnection,
    subjects: subjectsOf('dino'),
    packagesTimeoutMs: 1,
    membership: {
      expected: async () => ({ members: names.map(node => ({ node, container: node })), warning: null }),
      present: () => [],
    },
    build: async () => [{ bundle, packed: new Uint8Array(), sources: {}, packages: null, groups: null }],
    store: {
      heads: async () => [head],
      lastHead: async () => ({ head, position: 1 }),
      missingPackages: async () => ({ bytes: 0 }),
      putPackages: async () => undefined,
      highestSequence: () => 1,
      putBundle: async (_name: unknown, _packed: unknown, { answerTo }: { answerTo: string }) =>
        answer(answerTo, node => ({ status: 'prepared', node, revision: bundle.revision })),
    },
  };
  const command = { type: 'push', modules: ['demo'], force: false, timeoutMs: 100, ...options } as CommandOf<'push'>;
  const nothing = (): void => undefined;
  const signal = new AbortController().signal;
  const { nodes } = await dryRun(context as unknown as CommandContext, command, nothing, signal, nothing);
  return nodes.map(({ node, status }) => [node, status]);
}

describe('a dry run', () => {
  it('leaves out the nodes that the push would leave out', async () => {
    expect(await run({})).toEqual(names.map(node => [node, 'would_load']));
    expect(await run({ without: ['fred'] })).toEqual([
      ['bambam', 'would_load'],
      ['betty', 'would_load'],
    ]);
    await expect(run({ without: names })).rejects.toThrow('--without leaves no node to push to');
  });

  it('says that a node is banned from the revision, as the push would, unless it is forced', async () => {
    expect((await run({}, [ban])).at(-1)).toEqual(['betty', 'refused']);
    expect((await run({ force: true }, [ban])).at(-1)).toEqual(['betty', 'would_load']);
    expect(await run({ without: ['betty'] }, [ban])).toHaveLength(2);
  });
});
