import { expect, it } from 'vitest';

import { LiveMemory } from '../../../../../../controller/src/build/preflight/child/live-memory.ts';

const MB = 2 ** 20;

/** A process that holds some memory, with garbage. Everything in MB. */
class FakeProcess {
  live = 10;
  garbage = 1;
  collections = 0;
  readonly memory = new LiveMemory(
    () => (this.live + this.garbage) * MB,
    () => {
      this.collections += 1;
      this.garbage = 0;
    },
  );

  measure(): number {
    return this.memory.bytes() / MB;
  }
}

it('collects no garbage for a small module', () => {
  const child = new FakeProcess();
  child.garbage += 8;
  expect(child.measure()).toBe(19);
  expect(child.collections).toBe(0);
});

it('collects garbage when memory has grown by more than 8 MB, and then anew from what is left', () => {
  const child = new FakeProcess();
  child.live += 30;
  child.garbage += 20;
  expect(child.measure()).toBe(40);
  child.garbage += 8;
  expect(child.measure()).toBe(48);
  child.garbage += 1;
  expect(child.measure()).toBe(40);
  expect(child.collections).toBe(2);
});

it('counts the buffers of this process', () => {
  const held = [Buffer.alloc(400 * MB)];
  expect(new LiveMemory().bytes() / MB).toBeGreaterThanOrEqual(400);
  expect(held).toHaveLength(1);
});
