import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import type { CommandOf } from '../../../../controller/src/api/command.ts';
import type { CommandContext, Delivery } from '../../../../controller/src/commands/context.ts';
import { doctor } from '../../../../controller/src/commands/doctor.ts';
import { openPorts, type PortState } from '../../../../controller/src/fleet/open-ports.ts';
import { NOBODY } from '../../../../controller/src/fleet/departures.ts';
import { KeyError } from '../../../../controller/src/store/keyring.ts';
import { encode } from '../../../../protocol/codec.ts';
import type { Head } from '../../../../protocol/head.ts';
import type { NodeDescription } from '../../../../protocol/messages.ts';
import type { Operator } from '../../../../protocol/operators/operator.ts';
import { PACKAGE_VERSION } from '../../../../shared/package-version.ts';
import { descriptionOf, headOf } from '../../fixtures.ts';

interface Cluster {
  readonly heads: readonly Head[];
  readonly answers: readonly NodeDescription[];
  readonly usedMb: number;
  readonly madeAt: () => number;
  readonly backups: readonly { readonly command: string; readonly outcome: string; readonly at: number }[];
  readonly warning: string | null;
  readonly ports: readonly PortState[];
  readonly operators: readonly Operator[];
  /** Of the webhook; the audit's last event is number 12. */
  readonly delivery: Delivery | null;
}

const present = (node: string, more: Partial<NodeDescription> = {}): NodeDescription => ({
  ...descriptionOf(node),
  version: PACKAGE_VERSION,
  clock: Date.now(),
  ...more,
});

const HOUR = 3_600_000;

/** What it says of a cluster with fred and betty: a line for each check that is not ok. */
async function checksOf(cluster: Partial<Cluster> = {}): Promise<string[]> {
  const {
    heads = [],
    answers = [present('fred'), present('betty')],
    usedMb = 1,
    warning = null,
    delivery = null,
    operators = [],
    ports = [{ service: 'proxy', port: 8080, state: 'open' }],
  } = cluster;
  const { backups = [{ command: 'backup', outcome: 'done', at: Date.now() - HOUR }] } = cluster;
  const { madeAt = () => Date.now() - 2 * HOUR } = cluster;
  let deliver = (_error: null, _message: { subject: string; data: Uint8Array }): void => undefined;
  const nats = {
    subscribe: (_: string, { callback }: { callback: typeof deliver }) => {
      deliver = callback;
      return { unsubscribe: () => undefined };
    },
    publish: (_subject: string, _body: Uint8Array, { reply }: { reply: string }) => {
      for (const answer of answers) deliver(null, { subject: `${reply}.${answer.node}`, data: encode(answer) });
    },
  };
  const members = ['fred', 'betty'].map(node => ({ node, container: node }));
  const context = {
    nats: nats as unknown as NatsConnection,
    subjects: { all: () => 'all' },
    membership: { expected: async () => ({ members, departed: NOBODY, warning }) },
    signingKey: { madeAt },
    audit: { read: async () => backups, bounds: async () => ({ first: 1, last: 12 }) },
    openPorts: async () => ports,
    webhook: delivery === null ? null : () => delivery,
    store: {
      heads: async () => heads,
      storage: async () => ({ usedBytes: usedMb * 2 ** 20, maxBytes: 100 * 2 ** 20, disk: null, fault: null }),
      natsClockOffset: async () => 0,
      newerText: () => null,
      lostHeads: () => [],
      operators: async () => operators,
    },
  };
  const command = { type: 'doctor', timeoutMs: 20 } as CommandOf<'doctor'>;
  const nothing = (): void => undefined;
  const signal = new AbortController().signal;
  const { checks } = await doctor(context as unknown as CommandContext, command, nothing, signal, nothing);
  expect(checks).toHaveLength(9 + [delivery !== null, operators.length > 0].filter(Boolean).length);
  return checks.flatMap(({ check, state, detail, help = '' }) =>
    state === 'ok' ? [] : [`${state} ${check}: ${detail} (${help})`],
  );
}

describe('doctor', () => {
  it('finds nothing wrong where all is well', async () => {
    expect(await checksOf()).toEqual([]);
  });

  it('names the nodes that do not answer, and what the roster does not know', async () => {
    expect(await checksOf({ answers: [present('fred')] })).toEqual([
      'wrong nodes: no answer of betty (docker compose logs node)',
    ]);
    expect(await checksOf({ warning: 'the roster does not answer' })).toEqual([
      'warning nodes: the roster does not answer (docker compose logs roster)',
    ]);
  });

  it('names a port that takes no connection, but not that of a service that a cluster does without', async () => {
    await using server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const proxy = { service: '127.0.0.1', port: (closed.address() as AddressInfo).port };
    await new Promise(done => closed.close(done));
    const open = { service: '127.0.0.1', port };
    const unknown = { service: 'nobody.invalid', port: 80 };
    expect(await checksOf({ ports: await openPorts([open, unknown]) })).toEqual([]);
    expect(await checksOf({ ports: await openPorts([open, proxy]) })).toEqual([
      `warning ports: 127.0.0.1:${proxy.port} takes no connection (ECONNREFUSED) (docker compose logs 127.0.0.1)`,
    ]);
  });

  it('names a clock that is off', async () => {
    const answers = [present('fred'), present('betty', { clock: Date.now() + HOUR })];
    const [line, ...others] = await checksOf({ answers });
    expect(line).toMatch(
      /^warning clocks: the clock of betty is 36\d\d\.\d s ahead of that of NATS.*\(hotcast nodes\)$/,
    );
    expect(others).toEqual([]);
  });

  it('names a module that does not run as its head says, and a node that is kept off a revision', async () => {
    const revision = 'a'.repeat(64);
    expect(await checksOf({ heads: [headOf('demo', revision, 1)] })).toEqual([
      'wrong modules: demo is behind on fred, and 1 more (hotcast status)',
    ]);
    const entry = { node: 'fred', revision, instead: null, cause: 'memory' as const, detail: '', at: 1 };
    expect(await checksOf({ heads: [{ ...headOf('demo', null, 1), keptOff: [entry] }] })).toEqual([
      'warning bans: fred is kept off a revision of demo, which brought it down (hotcast bans)',
    ]);
  });

  it('says how full the stream is, that the key is lost, and that there is no backup', async () => {
    expect((await checksOf({ usedMb: 85 })).join()).toMatch(/^warning stream: the stream is nearly full/);
    expect((await checksOf({ usedMb: 100 })).join()).toMatch(/^wrong stream: the stream is full/);
    const madeAt = (): number => {
      throw new KeyError('the signing key is lost');
    };
    expect(await checksOf({ madeAt, backups: [] })).toEqual([
      'wrong signing key: the signing key is lost (hotcast keys rotate)',
      'warning backup: none in the last 30 days (hotcast backup hotcast.backup)',
    ]);
  });

  it('says since when a webhook takes nothing, why, and what it has missed', async () => {
    const delivery: Delivery = { where: 'ops.example', position: 10, failure: null, leftOut: 0 };
    expect(await checksOf({ delivery })).toEqual([]);
    const failure = { why: 'HTTP 503', since: Date.now() - 2 * HOUR };
    expect(await checksOf({ delivery: { ...delivery, failure } })).toEqual([
      'warning webhook: ops.example has taken nothing for 2 h (HTTP 503); 2 events wait for it (docker compose logs controller)',
    ]);
    expect(await checksOf({ delivery: { ...delivery, leftOut: 1 } })).toEqual([
      'warning webhook: ops.example takes the events, but 1 event did not reach it (docker compose logs controller)',
    ]);
  });

  it('names operators that expire soon, or have just done so', async () => {
    const operator = (name: string, inMs: number, revokedAt: number | null = null): Operator => {
      const expiresAt = Date.now() + inMs;
      return { name, key: '', may: [], addedBy: '', addedAt: 0, expiresAt, revokedAt };
    };
    const [day, minute] = [24 * HOUR, 60_000];
    const operators = [operator('ci', 3 * day + minute), operator('betty', -2 * HOUR - minute)];
    expect(await checksOf({ operators: [...operators, operator('wilma', 30 * day)] })).toEqual([
      'warning operators: betty expired 2 h 1 min ago, ci expires in 3 d (hotcast operator add)',
    ]);
    expect(await checksOf({ operators: [operator('old', -30 * day), operator('wilma', 8 * day)] })).toEqual([]);
  });
});
