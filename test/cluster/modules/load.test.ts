import { connect } from '@nats-io/transport-node';
import { describe, expect } from 'vitest';

import { ControlLine } from '../../../bench/control-line.ts';
import { decodeBundle } from '../../../protocol/bundle.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { CallLoad, type ExpectedCall, type LoadFigures } from '../../support/call-load.ts';
import type { Cluster } from '../../support/cluster.ts';
import { clusterTest } from '../../support/cluster-test.ts';
import { inboxPrefix } from '../../../protocol/inboxes.ts';

const it = clusterTest({ nodes: 3 });

/** `make bench-load` has a thousand. */
const PUSHES = Number(process.env['PUSHES'] || 60);

/** Calls in flight on each node. */
const AT_ONCE = 8;

/** So many calls are made without pushes, to compare with. */
const QUIET = PUSHES * 30;

/** Enough code that the controller sends a code cache with it. */
const BALLAST = 'x'.repeat(20_000);

/** A call that is in the middle of its work when versions are swapped below it. */
const work = (version: number): string => `
  const version = ${version};
  export const ballast = '${BALLAST}';
  export async function twice(x: number): Promise<number> {
    const before = version;
    for (let turn = 0; turn < 3; turn += 1) await new Promise(resolve => setImmediate(resolve));
    if (version !== before) throw new Error('it is not on the version any more that it began on');
    return 2 * x;
  }
`;

const caller = `
  import { twice } from 'hot:work';
  export const fourfold = async (x: number): Promise<number> => twice(await twice(x));
`;

const call = (number: number): ExpectedCall =>
  number % 2 === 0
    ? { module: 'work', function: 'twice', args: [number], json: `${2 * number}` }
    : { module: 'caller', function: 'fourfold', args: [number], json: `${4 * number}` };

const shown = ({ calls, failures, p50, p99 }: LoadFigures): string =>
  `${calls} calls, ${failures.length} failed, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;

describe(`a load of calls on three nodes during ${PUSHES} pushes`, () => {
  it('has no failed call', { timeout: 60_000 + PUSHES * 1_500 }, async ({ cluster }) => {
    using line = new ControlLine((await cluster.container('controller')).id);
    await using nats = await connected(cluster);
    const parts = { nats: nats.connection, subjects: subjectsOf(cluster.cookie) };
    cluster.writeModule('work', work(0));
    cluster.writeModule('caller', caller);
    await line.push('work');
    await line.push('caller');

    const quiet = new CallLoad(parts, cluster.names, AT_ONCE, call);
    await quiet.made(QUIET);
    const without = await quiet.stop();

    const load = new CallLoad(parts, cluster.names, AT_ONCE, call);
    const startedAt = performance.now();
    const outcomes = new Map<string, number>();
    for (let push = 1; push <= PUSHES; push += 1) {
      cluster.writeModule('work', work(push));
      const { outcome } = await line.push('work');
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    const during = await load.stop();

    process.stdout.write(`without pushes: ${shown(without)}\n`);
    process.stdout.write(`during ${PUSHES} pushes in ${seconds.toFixed(1)} s: ${shown(during)}\n`);
    expect(Object.fromEntries(outcomes)).toEqual({ committed: PUSHES });
    expect(during.failures).toEqual([]);
    expect(during.calls).toBeGreaterThan(PUSHES);
  });

  it('has each node take the code cache that came with the bundle', async ({ cluster }) => {
    using line = new ControlLine((await cluster.container('controller')).id);
    await using nats = await connected(cluster);
    const bundles = nats.connection.subscribe(subjectsOf(cluster.cookie).bundles, { max: 1 });
    await nats.connection.flush();
    cluster.writeModule('work', work(-1));
    await line.push('work');
    for await (const { subject, data } of bundles) {
      const packed = cluster.keys.keyring(cluster.cookie).verify(subject, data);
      expect(decodeBundle(packed ?? new Uint8Array()).cache).toBeDefined();
    }
    for (const node of cluster.names) {
      expect((await cluster.logsOf(node)).filter(({ msg }) => msg.includes('code cache'))).toEqual([]);
    }
  });
});

/** A connection that ends with the test. */
async function connected(cluster: Cluster) {
  // Nodes answer a controller's inbox and no other.
  const connection = await connect({ ...(await cluster.natsOptions()), inboxPrefix: inboxPrefix('controller') });
  return { connection, [Symbol.asyncDispose]: () => connection.close() };
}
