import type { NatsConnection } from '@nats-io/transport-node';
import { expect, it } from 'vitest';

import { awaitCommit } from '../../../../controller/src/rollout/commit.ts';
import type { RolloutContext } from '../../../../controller/src/rollout/context.ts';
import { prepare } from '../../../../controller/src/rollout/prepare.ts';
import { encode } from '../../../../protocol/codec.ts';
import type { HeadResult } from '../../../../protocol/history/head-result.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { bundleOf, headOf } from '../../fixtures.ts';

const bundle = bundleOf('ticker', 'exports.x = 1;');
const groups = { names: ['worker'], first: false };
const REFUSED = { status: 'refused', reason: 'badfile', detail: 'no' } as const;

/** A controller of a fleet in which worker-1 does what it is asked, and fred, which nobody asks, refuses everything. */
function fleet() {
  type Callback = (error: null, message: { subject: string; data: Uint8Array }) => void;
  let callback: Callback = () => undefined;
  const results: HeadResult[] = [];
  const answer = (inbox: string, good: object): void => {
    for (const [node, said] of [
      ['fred', REFUSED],
      ['worker-1', good],
    ] as const) {
      callback(null, { subject: `${inbox}.${node}`, data: encode({ ...said, node }) });
    }
  };
  const nats = {
    subscribe: (_: string, how: { callback: Callback }) => {
      ({ callback } = how);
      return { unsubscribe: () => undefined };
    },
    publish: (_: string, _body: Uint8Array, { reply }: { reply: string }) => answer(reply, { status: 'loaded' }),
  };
  const context = {
    nats: nats as unknown as NatsConnection,
    subjects: subjectsOf('dino'),
    packagesTimeoutMs: 1,
    store: {
      highestSequence: () => 1,
      signHead: () => new Uint8Array(),
      writeHeadResult: async (result: HeadResult) => void results.push(result),
      putBundle: async (_name: unknown, _packed: unknown, { answerTo }: { answerTo: string }) =>
        answer(answerTo, { status: 'prepared', revision: bundle.revision }),
    },
  };
  return { context: context as unknown as RolloutContext, results };
}

const expected = new Set(['fred', 'worker-1']);

it('a node stops no push of a module for another group, in prepare', async () => {
  const built = { bundle, packed: new Uint8Array(), packages: null, sources: {}, groups };
  const { signal } = new AbortController();
  const audience = { expected, without: new Set<string>(), timeoutMs: 100, signal };
  const prepared = await prepare(fleet().context, [built], false, audience);
  expect(prepared).toMatchObject({ status: 'prepared', answered: new Set(['worker-1']) });
  const elsewhere = await prepare(fleet().context, [{ ...built, groups: null }], false, audience);
  expect(elsewhere).toMatchObject({ status: 'refused' });
});

it('a node stops no push of a module for another group, at the load', async () => {
  const { context, results } = fleet();
  const head = { ...headOf('ticker', bundle.revision, 1), groups };
  const { outcome, nodes } = await awaitCommit(context, [head], { expected, timeoutMs: 100 });
  expect({ outcome, nodes: nodes.map(({ node }) => node) }).toEqual({ outcome: 'committed', nodes: ['worker-1'] });
  expect(results).toMatchObject([{ verdict: 'committed', loaded: 1, refused: 0, silent: 0 }]);
});
