import { connect } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import { ControlConnection } from '../../../support/cluster/control-connection.ts';
import { decodeBundle } from '../../../../protocol/bundle.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { CallLoad, type ExpectedCall, type LoadFigures } from '../../../support/cluster/call-load.ts';
import type { Cluster } from '../../../support/cluster/cluster.ts';
import { inboxPrefix } from '../../../../protocol/inboxes.ts';
import { it } from './cluster.ts';

/** `make bench-load` makes a thousand. */
const PUSHES = Number(process.env['PUSHES'] || 15);

/** Concurrent calls on each node. */
const CONCURRENCY = 8;

/** The number of calls without pushes, for comparison. */
const CALLS_WITHOUT_PUSHES = PUSHES * 30;

/** Enough code for the controller to send a code cache. */
const PADDING = 'x'.repeat(20_000);

/** A module whose calls are in flight when the next version is loaded. */
const workSource = (version: number): string => `
  const version = ${version};
  export const padding = '${PADDING}';
  export async function twice(x: number): Promise<number> {
    const before = version;
    for (let turn = 0; turn < 3; turn += 1) await new Promise(resolve => setImmediate(resolve));
    if (version !== before) throw new Error('the call is not on the version on which it started');
    return 2 * x;
  }
`;

const CALLER = `
  import { twice } from 'hot:work';
  export const fourfold = async (x: number): Promise<number> => twice(await twice(x));
`;

const call = (number: number): ExpectedCall =>
  number % 2 === 0
    ? { module: 'work', function: 'twice', args: [number], json: `${2 * number}` }
    : { module: 'caller', function: 'fourfold', args: [number], json: `${4 * number}` };

const summary = ({ calls, failures, p50, p99 }: LoadFigures): string =>
  `${calls} calls, ${failures.length} failed, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;

describe(`calls on three nodes during ${PUSHES} pushes`, () => {
  it('do not fail', { timeout: 300_000 + PUSHES * 1_500 }, async ({ cluster }) => {
    using control = new ControlConnection((await cluster.container('controller')).id);
    await using nats = await connected(cluster);
    const parts = { nats: nats.connection, subjects: subjectsOf(cluster.cookie) };
    cluster.writeModule('work', workSource(0));
    cluster.writeModule('caller', CALLER);
    await control.push('work');
    await control.push('caller');

    const loadWithoutPushes = new CallLoad(parts, cluster.nodeNames, CONCURRENCY, call);
    await loadWithoutPushes.waitForCalls(CALLS_WITHOUT_PUSHES);
    const without = await loadWithoutPushes.stop();

    const load = new CallLoad(parts, cluster.nodeNames, CONCURRENCY, call);
    const startedAt = performance.now();
    const outcomes = new Map<string, number>();
    for (let push = 1; push <= PUSHES; push += 1) {
      cluster.writeModule('work', workSource(push));
      const { outcome } = await control.push('work');
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    const during = await load.stop();

    process.stdout.write(`without pushes: ${summary(without)}\n`);
    process.stdout.write(`during ${PUSHES} pushes in ${seconds.toFixed(1)} s: ${summary(during)}\n`);
    expect(Object.fromEntries(outcomes)).toEqual({ committed: PUSHES });
    expect(during.failures).toEqual([]);
    expect(during.calls).toBeGreaterThan(PUSHES);
  });

  it('run with the code cache that was sent with the bundle', async ({ cluster }) => {
    using control = new ControlConnection((await cluster.container('controller')).id);
    await using nats = await connected(cluster);
    const bundles = nats.connection.subscribe(subjectsOf(cluster.cookie).bundles, { max: 1 });
    await nats.connection.flush();
    cluster.writeModule('work', workSource(-1));
    await control.push('work');
    for await (const { subject, data } of bundles) {
      const packed = cluster.keys.keyring(cluster.cookie).verify(subject, data);
      expect(decodeBundle(packed ?? new Uint8Array()).cache).toBeDefined();
    }
    for (const node of cluster.nodeNames) {
      expect((await cluster.logsOf(node)).filter(({ msg }) => msg.includes('code cache'))).toEqual([]);
    }
  });
});

/** A connection that ends with the test. */
async function connected(cluster: Cluster) {
  // Nodes answer only to a controller's inbox.
  const connection = await connect({ ...(await cluster.natsOptions()), inboxPrefix: inboxPrefix('controller') });
  return { connection, [Symbol.asyncDispose]: () => connection.close() };
}
