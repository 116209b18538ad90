import { describe, expect, it } from 'vitest';

import type { Holder } from '../../../../node-image/src/watchdog/holders.ts';
import { MemoryWatch } from '../../../../node-image/src/watchdog/memory-watch.ts';

const DEMO = 'demo@3f2a9c81b0d4';
const MB = 2 ** 20;

/** A node with a limit of 500 MB, in a container in which its process can have 900 MB. */
class FakeNode {
  resident = 100;
  live = 100;
  /** Whether the main thread runs no native code. */
  answers = true;
  /** The time of a measurement of live memory (milliseconds). */
  measureMs = 100;
  isReady = true;
  script: string | null = null;
  runs = 1;
  /** What happens each time that live memory is measured. */
  onMeasured: () => void = () => undefined;
  readonly held = new Map<string, number>();
  measured = 0;
  sampled: number | null = null;
  readonly alarms: (number | null)[] = [];
  #now = 0;
  readonly #watch = new MemoryWatch({
    limits: { liveMb: 500, residentMb: 900 },
    activity: this,
    inspector: {
      liveMemoryAbove: async limitMb => {
        if (!this.answers) return new Promise(() => undefined);
        this.measured += 1;
        this.#now += this.measureMs;
        const live = this.live > limitMb ? this.live : null;
        this.onMeasured();
        return live;
      },
      startSampling: async interval => void (this.sampled = interval),
      stopSampling: async () => void (this.sampled = null),
      holders: async () => (this.answers ? this.#holders() : new Promise(() => undefined)),
    },
    residentMb: () => this.resident,
    now: () => this.#now,
    sleep: async ms => void (this.#now += ms),
    onAlarm: mb => void this.alarms.push(mb),
  });

  async check(afterMs = 250) {
    this.#now += afterMs;
    return this.#watch.look() ? this.#watch.measure() : null;
  }

  #holders(): Holder[] {
    return [...this.held].map(([script, mb]) => ({ script, bytes: mb * MB, position: `${script}:4:9` }));
  }
}

/** A node whose memory grew from below half of its limit to above it within one second. */
async function grown(change: (node: FakeNode) => void) {
  const node = new FakeNode();
  Object.assign(node, { resident: 300, live: 250 });
  change(node);
  await node.check();
  Object.assign(node, { resident: 560, live: 510 });
  return node;
}

describe('the memory of a node', () => {
  it('is not measured below the limit', async () => {
    const node = await grown(() => undefined);
    node.resident = 500;
    expect(await node.check()).toBeNull();
    expect(node.measured).toBe(0);
  });

  it('can contain as much garbage and freed pages as the container allows', async () => {
    const node = await grown(() => undefined);
    Object.assign(node, { resident: 899, live: 400 });
    expect(await node.check()).toBeNull();
  });

  it('is measured for one twentieth of the time, and more often only while it grows', async () => {
    const node = await grown(() => undefined);
    Object.assign(node, { resident: 600, live: 400, measureMs: 300 });
    for (let tick = 0; tick < 240; tick += 1) await node.check();
    expect(node.measured).toBeGreaterThan(5);
    expect(node.measured).toBeLessThan(11);
    node.resident = 760;
    const before = node.measured;
    await node.check();
    expect(node.measured).toBe(before + 1);
  });

  it('is too much when the kernel is about to end the process, whatever V8 counts', async () => {
    const node = await grown(() => undefined);
    Object.assign(node, { resident: 950, live: 90 });
    expect(await node.check()).toMatchObject({ kind: 'resident', mb: 950, culprit: null });
  });

  it('is not too much when a garbage collection frees enough of it', async () => {
    const node = await grown(() => undefined);
    Object.assign(node, { resident: 950, live: 90, onMeasured: () => (node.resident = 200) });
    expect(await node.check()).toBeNull();
  });

  it('is sampled from half of the limit on', async () => {
    const node = new FakeNode();
    node.resident = 240;
    await node.check();
    expect(node.sampled).toBeNull();
    node.resident = 260;
    await node.check();
    expect(node.sampled).toBe(Math.round((500 * MB) / 1_000));
    node.resident = 240;
    await node.check();
    expect(node.sampled).toBeNull();
  });
});

describe('an alarm', () => {
  it('begins when the kernel can end the process soon, and ends when memory is well below that', async () => {
    const node = await grown(() => undefined);
    for (const resident of [690, 710, 720, 660, 690, 620, 600]) {
      Object.assign(node, { resident, live: 400 });
      await node.check();
    }
    expect(node.alarms).toEqual([710, null]);
  });

  it('begins when live memory is above its limit', async () => {
    const node = await grown(() => undefined);
    await node.check();
    expect(node.alarms).toEqual([510]);
  });
});

describe('a revision', () => {
  it('is blamed when it holds most of what modules have allocated in a short time', async () => {
    const node = await grown(() => undefined);
    node.held.set(DEMO, 120).set('web@0123456789ab', 40);
    expect(await node.check()).toMatchObject({
      kind: 'live',
      mb: 510,
      culprit: { script: DEMO, position: `${DEMO}:4:9` },
    });
  });

  it('is not blamed when it is one of many, and the largest are named', async () => {
    const node = await grown(() => undefined);
    for (let each = 10; each < 38; each += 1) node.held.set(`module-${each}@0123456789ab`, 9);
    const excess = await node.check();
    expect(excess).toMatchObject({ kind: 'live', culprit: null });
    expect(excess?.holders).toHaveLength(28);
  });

  it.each([
    ['the node starts, which loads all modules', false, 0],
    ['memory grew slowly', true, 3_600_000],
  ])('is not blamed for what it holds when %s', async (_, isReady, afterMs) => {
    const node = await grown(each => (each.isReady = isReady));
    node.isReady = true;
    node.held.set(DEMO, 200);
    expect(await node.check(afterMs)).toMatchObject({ culprit: null });
  });

  it('is blamed when its memory still grows, also while the node starts', async () => {
    const node = await grown(each => (each.isReady = false));
    node.held.set(DEMO, 200);
    node.onMeasured = () => void node.held.set(DEMO, (node.held.get(DEMO) ?? 0) + 60);
    expect(await node.check()).toMatchObject({ culprit: { script: DEMO } });
  });

  it('is blamed when buffers grow while nothing else runs', async () => {
    const node = await grown(() => undefined);
    node.script = DEMO;
    node.onMeasured = () => (node.live += 60);
    expect(await node.check()).toMatchObject({ culprit: { script: DEMO, position: null } });
  });

  it('is blamed at the first measurement when memory has grown since it runs', async () => {
    const node = await grown(each => (each.script = DEMO));
    expect(await node.check()).toMatchObject({ culprit: { script: DEMO, position: null } });
    expect(node.measured).toBe(1);
  });

  it('is not blamed for what it took while the node starts', async () => {
    const node = await grown(each => Object.assign(each, { script: DEMO, isReady: false }));
    expect(await node.check()).toMatchObject({ culprit: null });
  });

  it('is blamed when the main thread does not answer any more, and memory is about to end the process', async () => {
    const node = await grown(each => (each.script = DEMO));
    Object.assign(node, { live: 310, resident: 950, answers: false });
    expect(await node.check()).toMatchObject({ kind: 'resident', culprit: { script: DEMO } });
  });

  it('is not blamed when buffers grow and other code runs in between', async () => {
    const node = await grown(() => undefined);
    node.script = DEMO;
    node.onMeasured = () => {
      node.live += 60;
      node.runs += 2;
    };
    expect(await node.check()).toMatchObject({ culprit: null });
  });

  it('is blamed when memory grows to the end of the container while it runs native code', async () => {
    const node = await grown(() => undefined);
    Object.assign(node, { script: DEMO, answers: false });
    // Resident memory is read before the answer is awaited, and while it is.
    let reads = 0;
    Object.defineProperty(node, 'resident', { get: () => 560 + 20 * (reads += 1) });
    expect(await node.check()).toMatchObject({ kind: 'resident', culprit: { script: DEMO } });
  });
});

it('a node whose memory shrinks while evidence is looked for goes on', async () => {
  const node = await grown(() => undefined);
  node.onMeasured = () => (node.live -= 20);
  expect(await node.check()).toBeNull();
});

it('a node in native code that is not too large goes on', async () => {
  const node = await grown(each => (each.answers = false));
  node.answers = false;
  expect(await node.check()).toBeNull();
});
