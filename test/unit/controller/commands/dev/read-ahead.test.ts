import { beforeEach, describe, expect, it } from 'vitest';

import type { CommandContext } from '../../../../../controller/src/commands/context.ts';
import { ReadAhead } from '../../../../../controller/src/commands/dev/read-ahead.ts';

/** What was read, in its order; all of it by a push that reads for itself. */
let reads: string[];
const ALL = ['heads', 'storage', 'expected'];

const read = (what: string) => async () => void reads.push(what);

const context = {
  store: { heads: read('heads'), storage: read('storage') },
  membership: { expected: read('expected') },
} as unknown as CommandContext;

let ahead: ReadAhead;

const push = async (): Promise<void> => {
  const { store, membership } = ahead.take();
  await Promise.all([store.heads(), store.storage(), membership.expected()]);
};

beforeEach(() => {
  reads = [];
  ahead = new ReadAhead(context);
});

describe('a save', () => {
  it('has read at once what its push needs, which reads nothing again', async () => {
    ahead.begin();
    ahead.begin();
    expect(reads).toEqual(ALL);
    await ahead.during(async () => {
      await ahead.context.store.heads();
      await push();
    });
    expect(reads).toEqual(ALL);
  });

  it('leaves the second push after it, and one without a save, to read for themselves', async () => {
    ahead.begin();
    await ahead.during(async () => {
      await push();
      await push();
    });
    await ahead.during(push);
    expect(reads).toEqual([...ALL, ...ALL, ...ALL]);
  });

  it('reads nothing while another one is pushed: that changes the heads', async () => {
    await ahead.during(async () => {
      ahead.begin();
      expect(reads).toEqual([]);
      await push();
    });
    ahead.begin();
    expect(reads).toEqual([...ALL, ...ALL]);
  });

  it('is not read for the next one when nothing was pushed', async () => {
    ahead.begin();
    await ahead.during(async () => undefined);
    await ahead.during(push);
    expect(reads).toEqual([...ALL, ...ALL]);
  });
});
