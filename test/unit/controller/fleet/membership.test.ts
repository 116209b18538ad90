import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { createMembership } from '../../../../controller/src/fleet/membership.ts';
import { join, rosterWarning } from '../../../../controller/src/fleet/roster.ts';
import { encode } from '../../../../protocol/codec.ts';
import type { NodeDescription } from '../../../../protocol/messages.ts';
import { type EventKind, subjectsOf } from '../../../../protocol/subjects.ts';
import { PROTOCOL } from '../../../../protocol/version.ts';
import { descriptionOf, recordingLog } from '../../fixtures.ts';

const container = (id: string, name: string, state = 'running') => ({ id, name, state });

const present = (node: string, id: string): NodeDescription => descriptionOf(node, {}, id);

const fred = { node: 'fred', container: 'c1' };

describe('join', () => {
  it.each([
    ['running', 'heard', true],
    ['running', 'silent', true],
    ['paused', 'silent', true],
    ['restarting', 'silent', true],
    ['exited', 'silent', false],
    ['exited', 'heard a moment ago', false],
    ['created', 'silent', false],
    ['dead', 'silent', false],
    ['removing', 'heard a moment ago', false],
  ])('a %s container that is %s should answer: %s', (state, heard, expected) => {
    const heartbeats = heard === 'silent' ? [] : [present('fred', 'c1')];
    expect(join([container('c1', 'hotcast-node-1', state)], heartbeats)).toEqual(expected ? [fred] : []);
  });

  it('that starts should answer as soon as it is heard', () => {
    const starting = [container('c1', 'hotcast-node-1', 'created')];
    expect(join(starting, [])).toEqual([]);
    expect(join(starting, [present('fred', 'c1')])).toEqual([fred]);
    // Nor one that has no container yet.
    expect(join([container('', 'hotcast-node-1', 'created')], [])).toEqual([]);
    expect(join([container('', 'hotcast-node-1', 'created')], [present('fred', 'c1')])).toEqual([fred]);
  });

  it('calls a container by the name that it was heard with', () => {
    expect(join([container('c1', 'hotcast-node-1')], [present('fred-c1', 'c1')])).toEqual([
      { node: 'fred-c1', container: 'c1' },
    ]);
  });

  it("calls a container that was never heard by its container's name", () => {
    expect(join([container('c9', 'hotcast-node-3')], [present('fred', 'c1')])).toContainEqual({
      node: 'betty',
      container: 'c9',
    });
  });

  it('says on which machine it is, as the roster does', () => {
    const elsewhere = { ...container('c9', 'hotcast-node-1'), node: 'node-101', machine: 'b' };
    const member = { node: 'node-101', container: 'c9', machine: 'b' };
    expect(join([elsewhere], [])).toEqual([member]);
    expect(join([elsewhere], [present('node-101', 'c9')])).toEqual([member]);
  });

  it('calls it as the roster says', () => {
    const worker = { ...container('c9', 'hotcast-worker-1'), node: 'worker-1' };
    expect(join([worker], [])).toEqual([{ node: 'worker-1', container: 'c9' }]);
    expect(join([worker], [present('worker-1-c9', 'c9')])).toEqual([{ node: 'worker-1-c9', container: 'c9' }]);
  });

  it('expects a node that the engine does not know, while it is heard', () => {
    expect(join([], [present('wilma', 'elsewhere')])).toEqual([{ node: 'wilma', container: 'elsewhere' }]);
  });

  it('expects a container once, heard or not', () => {
    const members = join(
      [container('c1', 'hotcast-node-1'), container('c2', 'hotcast-node-2')],
      [present('fred', 'c1'), present('bambam', 'c2')],
    );
    expect(members).toEqual([fred, { node: 'bambam', container: 'c2' }]);
  });

  it("does not believe a node that says that another one's container is its own", () => {
    const containers = [container('c1', 'hotcast-node-1'), container('c2', 'hotcast-node-2')];
    const members = join(containers, [present('fred', 'c1'), present('bambam', 'c2'), present('fred', 'c2')]);
    expect(members).toEqual([fred, { node: 'bambam', container: 'c2' }]);
  });
});

describe('join, where the roster knows names alone', () => {
  const named = (node: string) => ({ id: '', name: node, node, state: 'running' });

  it('expects each name once, heard or not, and knows the container of one that is heard', () => {
    expect(join([named('fred'), named('bambam')], [present('fred', 'c1')])).toEqual([
      fred,
      { node: 'bambam', container: '' },
    ]);
  });

  it('expects another node while it is heard', () => {
    expect(join([named('fred')], [present('wilma', 'c4')])).toEqual([
      { node: 'fred', container: '' },
      { node: 'wilma', container: 'c4' },
    ]);
  });
});

describe('a container that runs beside the member of its name', () => {
  it('is not expected, although it is heard', () => {
    const members = join([container('c2', 'hotcast-node-1')], [present('fred', 'c1')], new Set(['c1']));
    expect(members).toEqual([{ node: 'fred', container: 'c2' }]);
  });

  it('is named, with its machine, and so are machines that do not answer', () => {
    const roster = { status: 'containers' as const, containers: [] };
    expect(rosterWarning(roster)).toBeNull();
    const duplicates = [{ id: 'c1', name: 'hotcast_node.1.x', node: 'fred', machine: 'machine-2' }];
    expect(rosterWarning({ ...roster, duplicates, unreachable: ['machine-2'] })).toBe(
      'no answer from machine-2: what runs there is not known; fred runs twice: c1 on machine-2 is not the member',
    );
    const many = Array.from({ length: 7 }, (_, index) => ({ id: `c${index}`, name: 'n', node: 'fred' }));
    expect(rosterWarning({ ...roster, duplicates: many })).toMatch(
      /; fred runs twice: c4 is not the member; and 2 more$/,
    );
  });
});

/** From this age on, a container that was not heard is not waited for (milliseconds). */
const STARTING_AGE_MS = 10_000;

/** A membership over these containers; `tell` is an event of a node. */
function fleetOf(containers: readonly ReturnType<typeof container>[]) {
  const subjects = subjectsOf('dino');
  let deliver = (_error: null, _message: { subject: string; data: Uint8Array }): void => undefined;
  const nats = {
    subscribe: (_subject: string, { callback }: { callback: typeof deliver }) => void (deliver = callback),
    request: async () => ({
      data: encode({ status: 'containers', containers }),
    }),
  };
  const fleet = createMembership(nats as unknown as NatsConnection, subjects, recordingLog());
  const tell = (
    kind: EventKind,
    description: Readonly<Record<string, unknown>> & Pick<NodeDescription, 'node'>,
  ): void => deliver(null, { subject: subjects.event(description.node, kind), data: encode(description) });
  return { fleet, tell };
}

describe('expected', () => {
  afterEach(() => void vi.useRealTimers());

  const bambam = { node: 'bambam', container: 'c2' };
  const containers = [container('c1', 'hotcast-node-1'), container('c2', 'hotcast-node-2')];

  /** Whom a fleet of two expects, of which fred and bambam are present, after an event. */
  async function expectedAfter(event: NodeDescription, waitMs = 0, next: NodeDescription | null = null) {
    vi.useFakeTimers();
    const { fleet, tell } = fleetOf(containers);
    vi.advanceTimersByTime(STARTING_AGE_MS);
    for (const { node, container: id } of [fred, bambam]) tell('heartbeat', present(node, id));
    tell('goodbye', event);
    vi.advanceTimersByTime(waitMs);
    if (next !== null) tell('heartbeat', next);
    return (await fleet.expected()).members;
  }

  const goodbye = { ...present('fred', 'c1'), leavesWithinMs: 8_000 };

  it('has no node that said that it leaves, although its container runs', async () => {
    expect(await expectedAfter(goodbye)).toEqual([bambam]);
    expect(await expectedAfter(goodbye, 8_000)).toEqual([bambam]);
  });

  it('has it again when its time is over, or when it is heard again', async () => {
    expect(await expectedAfter(goodbye, 8_001)).toEqual([fred, bambam]);
    expect(await expectedAfter(goodbye, 100, present('fred', 'c1'))).toEqual([fred, bambam]);
  });

  it('waits for the first heartbeat of a new container', async () => {
    vi.useFakeTimers();
    const known = [...containers];
    const { fleet, tell } = fleetOf(known);
    const wilma = present('wilma', 'c4');
    vi.advanceTimersByTime(STARTING_AGE_MS);
    expect((await fleet.expected()).members).toHaveLength(2);
    known.push(container('c4', 'hotcast-node-4'));
    for (const each of [present('fred', 'c1'), present('bambam', 'c2')]) tell('heartbeat', each);
    const expected = fleet.expected();
    let isOver = false;
    void expected.then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(isOver).toBe(false);
    tell('heartbeat', wilma);
    await vi.advanceTimersByTimeAsync(100);
    expect((await expected).members).toContainEqual({ node: 'wilma', container: 'c4' });
  });

  it('has a node of whose container another node says that it leaves', async () => {
    expect(await expectedAfter({ ...goodbye, container: 'c2' })).toContainEqual(bambam);
  });
});

describe('awaited', () => {
  const containers = [container('c1', 'hotcast-node-1'), container('c2', 'hotcast-node-2')];

  afterEach(() => void vi.useRealTimers());

  /** A fleet that waits for no heartbeat of a new container. */
  function olderFleet() {
    vi.useFakeTimers();
    const older = fleetOf(containers);
    vi.advanceTimersByTime(STARTING_AGE_MS);
    return older;
  }

  it('has no node that was silent, until it is heard', async () => {
    const { fleet, tell } = olderFleet();
    fleet.noteSilent(['fred']);
    const { members, awaited } = await fleet.expected();
    expect([members.map(({ node }) => node), [...awaited]]).toEqual([['fred', 'bambam'], ['bambam']]);
    tell('heartbeat', present('fred', 'c1'));
    expect([...(await fleet.expected()).awaited]).toEqual(['fred', 'bambam']);
  });

  it('has all when all were silent', async () => {
    const { fleet } = olderFleet();
    fleet.noteSilent(['fred', 'bambam']);
    expect([...(await fleet.expected()).awaited]).toEqual(['fred', 'bambam']);
  });
});

describe('departed', () => {
  afterEach(() => void vi.useRealTimers());

  const goodbye = { ...present('fred', 'c1'), leavesWithinMs: 8_000 };

  /** What two nodes, that are there, expect; `changes` counts what a listener was told. */
  async function watched(containers = [container('c1', 'hotcast-node-1'), container('c2', 'hotcast-node-2')]) {
    vi.useFakeTimers();
    const known = [...containers];
    const { fleet, tell } = fleetOf(known);
    vi.advanceTimersByTime(STARTING_AGE_MS);
    const expected = await fleet.expected();
    const told: boolean[] = [];
    const listening = expected.departed.onChange(() => told.push(expected.departed.has('fred')));
    return { fleet, tell, known, expected, told, listening };
  }

  it('has a node from its goodbye on, also when its name is heard again, and nobody who came back before', async () => {
    const { fleet, tell, expected, told, listening } = await watched();
    expect(expected.departed.has('fred')).toBe(false);
    tell('goodbye', goodbye);
    expect(told).toEqual([true]);
    expect(expected.departed.has('bambam')).toBe(false);
    vi.advanceTimersByTime(10);
    tell('heartbeat', present('fred', 'c1'));
    expect(expected.departed.has('fred')).toBe(true);
    expect((await fleet.expected()).departed.has('fred')).toBe(false);
    listening[Symbol.dispose]();
    tell('goodbye', goodbye);
    expect(told).toEqual([true]);
  });

  it('has a node whose container was removed without a goodbye, and none that has only ended', async () => {
    const { known, expected, told } = await watched();
    known.splice(0, 1, container('c1', 'hotcast-node-1', 'exited'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual([false, false]);
    known.splice(0, 1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toContain(true);
    expect(expected.ended.has('fred')).toBe(true);
    expect(expected.departed.has('bambam')).toBe(false);
  });

  it('has ended when it says so: calls in flight are answered after the first goodbye', async () => {
    const { tell, expected } = await watched();
    tell('goodbye', goodbye);
    expect(expected.ended.has('fred')).toBe(false);
    tell('goodbye', { ...goodbye, hasEnded: true });
    expect(expected.ended.has('fred')).toBe(true);
  });
});

describe('present', () => {
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['for 6 seconds', {}, 6_000],
    ['for three times as long as it said to be silent', { heartbeatInterval: 20_000 }, 60_000],
  ])('has a node that told that it is there %s', (_, more, lifetime) => {
    vi.useFakeTimers();
    const { fleet, tell } = fleetOf([]);
    tell('heartbeat', { ...descriptionOf('fred'), ...more });
    vi.advanceTimersByTime(lifetime);
    expect(fleet.present().map(({ node }) => node)).toEqual(['fred']);
    vi.advanceTimersByTime(1);
    expect(fleet.present()).toEqual([]);
  });
});

describe('isDebugged', () => {
  const debugged = { ...descriptionOf('fred'), debugged: true };

  afterEach(() => void vi.useRealTimers());

  it('is true of a node that told of a debugger and then stood at a breakpoint, however long', () => {
    vi.useFakeTimers();
    const { fleet, tell } = fleetOf([]);
    expect(fleet.isDebugged('fred')).toBe(false);
    tell('heartbeat', debugged);
    vi.advanceTimersByTime(3_600_000);
    expect(fleet.present()).toEqual([]);
    expect(fleet.isDebugged('fred')).toBe(true);
  });

  it.each([
    ['heartbeat', 'without a debugger', descriptionOf('fred')],
    ['goodbye', 'with one', debugged],
  ] as const)('ends with a %s %s', (kind, _, description) => {
    const { fleet, tell } = fleetOf([]);
    tell('heartbeat', debugged);
    tell(kind, description);
    expect(fleet.isDebugged('fred')).toBe(false);
  });
});

describe('a node of another release', () => {
  it.each([PROTOCOL - 2, PROTOCOL + 2])(
    'with protocol %i is named, whatever else it says, until it leaves',
    async protocol => {
      const { fleet, tell } = fleetOf([container('c1', 'hotcast-node-1')]);
      tell('heartbeat', present('fred', 'c1'));
      expect(fleet.foreign()).toEqual([]);
      tell('heartbeat', { node: 'fred', protocol, other: 'shape' });
      expect(fleet.foreign()).toEqual([{ node: 'fred', protocol }]);
      expect((await fleet.expected()).foreign).toContain(`of another release: fred (protocol ${protocol})`);
      expect(fleet.present()).toEqual([]);
      tell('goodbye', { node: 'fred', protocol, other: 'shape' });
      expect(fleet.foreign()).toEqual([]);
    },
  );

  it.each([PROTOCOL - 1, PROTOCOL + 1])('with protocol %i is one like the others', protocol => {
    const { fleet, tell } = fleetOf([]);
    tell('heartbeat', { ...present('fred', 'c1'), protocol });
    expect(fleet.foreign()).toEqual([]);
    expect(fleet.present().map(({ node }) => node)).toEqual(['fred']);
  });
});
