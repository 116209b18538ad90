import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { Machines } from '../support/swarm/machines.ts';
import { Pusher } from '../support/swarm/pusher.ts';
import { Requests } from '../support/swarm/requests.ts';
import { Stack } from '../support/swarm/stack.ts';
import type { PushRecord } from '../support/swarm/truth.ts';

/** All faults, with 30 nodes; else a few of them, with 6. */
const ALL = process.env['FAULTS'] === 'all';
const NODES = Number(process.env['NODES'] || (ALL ? 30 : 6));
const PUSHES = ALL ? 300 : 20;
const MACHINES = 3;
const MODULE = 'counter';

/** Within this time all runs again, and pushes are committed, also on a busy machine. */
const SETTLE_SECONDS = ALL ? 400 : 240;
const COMMIT_SECONDS = 120;
/** Docker's networks have found a machine again within this time, or they stay apart. */
const APART_SECONDS = 150;
/** Pushes that took longer are listed. */
const SLOW_MS = 2_000;
/** A node stops or starts for this long before or after the controller has seen it (milliseconds). */
const CHANGE_MS = 5_000;
/** How many pushes are committed after each fault, before the next step. */
const COMMITS = 5;

let machines: Machines;
let stack: Stack;
let pusher: Pusher;
/** How long no push could commit, by what happened. A busy machine takes longer than a fleet: the numbers are for docs/many-machines.md. */
const gaps: string[] = [];

/** Lets something happen, and waits until pushes are committed again. The longest time without one is noted. */
async function during(what: string, happen: () => Promise<void>): Promise<void> {
  const since = performance.now();
  await happen();
  await pusher.commits(COMMITS, COMMIT_SECONDS);
  const seconds = pusher.longestGap(since) / 1_000;
  gaps.push(`  ${what}: ${seconds.toFixed(1)} s`);
  const slow = pusher.records.filter(({ endedAt, startedAt }) => endedAt > since && endedAt - startedAt > SLOW_MS);
  const lines = slow.map(({ number, exitCode, outcome, text, startedAt, endedAt }) => {
    const ended = `exit code ${exitCode} ${outcome} ${text.split('\n').at(-1)?.trim()}`;
    return `  push ${number} took ${((endedAt - startedAt) / 1_000).toFixed(1)} s: ${ended}\n`;
  });
  process.stdout.write(`${what}: ${seconds.toFixed(1)} s without a commit\n${lines.join('')}`);
}

/** Waits until the servers of NATS know each other. Docker's networks look for machines that were gone once a minute. */
async function meshed(seconds: number): Promise<void> {
  const names = machines.all.map(machine => `nats-machine-${machine}`);
  const routes = new Map(names.map(name => [name, names.filter(other => other !== name)]));
  await vi.waitFor(async () => expect(await stack.routes()).toEqual(routes), {
    timeout: seconds * 1_000,
    interval: 500,
  });
}

/** The same for a machine that was cut off. If Docker's networks stay apart, its engine is started again, as docs/many-machines.md says. */
async function meshedAgain(machine: number): Promise<void> {
  try {
    await meshed(APART_SECONDS);
  } catch (error) {
    process.stdout.write(`the engine of machine ${machine} is started again: ${String(error)}\n`);
    await machines.lose(machine);
    await machines.back(machine);
  }
}

/** Waits until everything runs, the servers of NATS know each other, and pushes reach every node. */
async function settle(): Promise<void> {
  await stack.settled(SETTLE_SECONDS);
  await meshed(SETTLE_SECONDS);
  await pusher.commits(1, COMMIT_SECONDS);
}

/**
 * The same, while nodes stop and start: for that, no push names one as silent. On a busy machine one can name others, whose server of
 * NATS had no processor time for some seconds.
 */
async function withoutSilentNodes(what: string, happen: () => Promise<void>): Promise<void> {
  const before = pusher.records.length;
  await during(what, happen);
  const changes = await stack.nodeChanges();
  const isChanging = (node: string, { startedAt, endedAt }: PushRecord): boolean =>
    changes.some(change => {
      const at = change.at - performance.timeOrigin;
      return change.node === node && at > startedAt - CHANGE_MS && at < endedAt + CHANGE_MS;
    });
  const silent = pusher.records.slice(before).filter(record => record.silent.length > 0);
  process.stdout.write(`${what}: ${silent.length} pushes named silent nodes\n`);
  expect(silent.filter(record => record.silent.every(node => isChanging(node, record)))).toEqual([]);
}

async function idsOf(service: string): Promise<readonly string[]> {
  return (await stack.containersOf(service)).map(({ id }) => id).toSorted();
}

async function startRequests(): Promise<Requests> {
  await push('web');
  return new Requests(machines.all, '/web/hello/Fred');
}

/** Pushes a module. The controller can be on its way to another machine. */
async function push(module: string, source?: string): Promise<void> {
  if (source !== undefined) stack.writeModule(module, source);
  const attempt = async (): Promise<string> => {
    const { exitCode, stderr } = await stack.hotcast('push', module, '--no-check');
    return exitCode === 0 ? '' : stderr;
  };
  await expect.poll(attempt, { timeout: COMMIT_SECONDS * 1_000, interval: 500 }).toBe('');
}

/** A module that a node with QUARRY=closed refuses from the second version on. */
const pickyOf = (version: number): string => `
if (${version} > 1 && process.env.QUARRY === 'closed') throw new Error('no work');
export const quarry = () => process.env.QUARRY ?? 'open';
export const version = () => ${version};
`;

/** What a function of the module `picky` returns on each node that answers. */
async function picky(call: string): Promise<ReadonlyMap<string, string>> {
  const { result } = await stack.call(`picky.${call}()`).catch(() => ({ result: { nodes: [] } }));
  return new Map(result.nodes.flatMap(node => (node.status === 'value' ? [[node.node, String(node.json)]] : [])));
}

/** Waits for the first node with QUARRY=closed, and pushes what it refuses: no node may run that afterwards. */
async function refusedByNewNodes(): Promise<void> {
  const closed = async () =>
    [...(await picky('quarry'))].filter(([, json]) => json === '"closed"').map(([node]) => node);
  await expect.poll(closed, { timeout: SETTLE_SECONDS * 1_000, interval: 500 }).not.toEqual([]);
  stack.writeModule('picky', pickyOf(2));
  const attempt = async () => {
    const { result } = await stack.push('picky', '--no-check').catch(() => ({ result: null }));
    const refused = result?.nodes.flatMap(node => (node.status === 'refused' ? [node.node] : [])) ?? [];
    return { outcome: result?.outcome, refused };
  };
  await expect.poll(attempt, { timeout: COMMIT_SECONDS * 1_000, interval: 500 }).toMatchObject({ outcome: 'reverted' });
  expect(new Set((await picky('version')).values())).toEqual(new Set(['1']));
}

/** What a machine is to the cluster. */
async function roleOf(machine: number): Promise<string> {
  const leads = (await machines.leader()) === machine ? ', the leader' : '';
  const [controller] = await stack.containersOf('controller');
  return `machine ${machine}${leads}${controller?.machine === machine ? ', with the controller' : ''}`;
}

beforeAll(async () => {
  machines = await Machines.start(MACHINES);
  stack = await Stack.deploy(machines, { nodes: NODES, atOnce: Math.ceil(NODES / 10) });
  await stack.settled(SETTLE_SECONDS);
  const areThere = async () => {
    const { exitCode, stderr } = await stack.hotcast('nodes', '--wait', String(NODES), '--timeout', '30');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  };
  await vi.waitFor(areThere, { timeout: COMMIT_SECONDS * 1_000, interval: 500 });
  pusher = new Pusher(stack, MODULE);
  await pusher.commits(COMMITS, COMMIT_SECONDS);
}, 600_000);

afterAll(async () => {
  process.stdout.write(`the longest time without a commit:\n${gaps.join('\n')}\n`);
  try {
    await pusher?.stop();
  } finally {
    await machines?.[Symbol.asyncDispose]();
  }
}, 120_000);

describe('pushes are committed again', () => {
  it('when a machine is lost, and when it is back', async () => {
    const leader = await machines.leader();
    // The leader is the last one: then the swarm has to find another one.
    const inTurn = machines.all.toSorted((a, b) => Number(a === leader) - Number(b === leader));
    for (const machine of ALL ? inTurn : inTurn.slice(-1)) {
      const role = await roleOf(machine);
      await during(`${role}, is lost`, () => machines.lose(machine));
      await during(`machine ${machine} is back`, () => machines.back(machine));
      await settle();
    }
  });

  it('when the controller is killed', async () => {
    const [controller] = await stack.containersOf('controller');
    if (controller === undefined) throw new Error('no controller runs');
    await during('the controller is killed', async () => {
      await machines.docker(controller.machine, 'kill', controller.id);
    });
    await settle();
  });

  it('when a machine is cut off, and when its network is back', async () => {
    const [controller] = await stack.containersOf('controller');
    const machine = controller?.machine ?? 1;
    const role = await roleOf(machine);
    await during(`${role}, is cut off`, () => machines.cut(machine));
    await during(`machine ${machine} has a network again`, () => machines.join(machine));
    await meshedAgain(machine);
    await settle();
  });

  it.runIf(ALL)('while each server of NATS is started again', async () => {
    await during('NATS is updated', async () => {
      await stack.manager('service', 'update', '--detach', '--force', 'hotcast_nats');
      await stack.settled(SETTLE_SECONDS);
    });
    await settle();
  });

  it.runIf(ALL)('when NATS was away for long, and nodes have served requests meanwhile', async () => {
    const nodes = await idsOf('node');
    const requests = await startRequests();
    const away = async (): Promise<void> => {
      for (const machine of machines.all)
        await stack.manager('node', 'update', '--label-rm', 'hotcast.nats', `machine-${machine}`);
      await expect.poll(() => idsOf('nats'), { timeout: 60_000 }).toEqual([]);
      await stack.checksOfHealth('node');
      for (const machine of machines.all)
        await stack.manager('node', 'update', '--label-add', 'hotcast.nats=true', `machine-${machine}`);
    };
    await during('NATS is away, and back', away);
    await settle();
    expect(Object.keys(await requests.end())).toEqual(['200']);
    expect(await idsOf('node')).toEqual(nodes);
  });

  it.runIf(ALL)('while there are fewer nodes, and again as many', async () => {
    for (const count of [NODES - 2, NODES]) {
      await withoutSilentNodes(`there are ${count} nodes`, async () => {
        await stack.manager('service', 'scale', '--detach', `hotcast_node=${count}`);
        await stack.settled(SETTLE_SECONDS);
      });
    }
    await settle();
  });

  it.runIf(ALL)('while the stack is updated to another release, and back', async () => {
    const requests = await startRequests();
    await push('picky', pickyOf(1));
    // The nodes of the new release refuse what those of the old one would load.
    await withoutSilentNodes('the stack is updated', async () => {
      await stack.update({ version: 'second', node: 'ENV QUARRY=closed' });
      await refusedByNewNodes();
      await stack.settled(SETTLE_SECONDS);
    });
    await settle();
    await withoutSilentNodes('the stack is updated back', async () => {
      await stack.update();
      await stack.settled(SETTLE_SECONDS);
    });
    await settle();
    expect(Object.keys(await requests.end())).toEqual(['200']);
  });
});

describe('at the end', () => {
  it(`${PUSHES} pushes have said what came of them`, async () => {
    const left = PUSHES - pusher.records.length;
    if (left > 0) await pusher.commits(left, 300);
    await pusher.stop();
    const { truth, records, committed } = pusher;
    process.stdout.write(`${records.length} pushes, ${committed.length} committed\n`);
    expect(truth.lies).toEqual([]);
    expect(truth.outOfOrder).toEqual([]);
  });

  it('every node runs the last revision that was committed', async () => {
    const problem = async (): Promise<string> => {
      const { exitCode, stdout, stderr } = await stack.hotcast('status', '--wait', '60');
      return exitCode === 0 ? '' : stdout + stderr;
    };
    await expect.poll(problem, { timeout: SETTLE_SECONDS * 1_000, interval: 1_000 }).toBe('');
    const { result } = await stack.call(`${MODULE}.number()`);
    const answers = result.nodes.map(node => (node.status === 'value' ? Number(node.json) : node));
    expect(answers).toEqual(Array.from({ length: NODES }, () => pusher.truth.last));
  });
});
