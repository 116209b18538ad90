import { describe, expect, it } from 'vitest';

import type { Helper } from '../../../../controller/src/build/helper-process.ts';
import { supervise } from '../../../../controller/src/build/supervise.ts';
import { recordingLog } from '../../fixtures.ts';

/** A helper that can be killed, and made unable to start. */
function helper() {
  const state = { starts: 0, isRunning: false, canStart: true, end: null as string | null };
  const part: Helper = {
    start: async () => {
      if (state.isRunning) return;
      state.starts += 1;
      if (!state.canStart) throw new Error('no memory');
      state.isRunning = true;
    },
    takeEnd: () => {
      const { end } = state;
      state.end = null;
      return end;
    },
  };
  const kill = (): void => void Object.assign(state, { isRunning: false, end: 'esbuild was killed (SIGKILL)' });
  return { part, state, kill };
}

describe('supervise', () => {
  it('starts a helper, and starts it again when it has ended, which the log says', async () => {
    const { part, state, kill } = helper();
    const log = recordingLog();
    using supervisor = supervise([part], log, 5);
    await expect.poll(() => state).toMatchObject({ starts: 1, isRunning: true });
    kill();
    await expect.poll(() => state).toMatchObject({ starts: 2, isRunning: true });
    expect(supervisor.isHealthy).toBe(true);
    expect(log.logged.map(({ message }) => message)).toEqual(['esbuild was killed (SIGKILL); it is started again']);
  });

  it('says the same of a helper that ends while it is checked', async () => {
    const { part, state, kill } = helper();
    const log = recordingLog();
    const checked: Helper = {
      ...part,
      start: async () => {
        const isFirst = state.starts === 0;
        await part.start();
        if (!isFirst) return;
        kill();
        throw new Error('the process has ended');
      },
    };
    using supervisor = supervise([checked], log, 5);
    await expect.poll(() => state).toMatchObject({ starts: 2, isRunning: true });
    await expect.poll(() => supervisor.isHealthy).toBe(true);
    expect(log.logged.map(({ message }) => message)).toEqual(['esbuild was killed (SIGKILL); it is started again']);
  });

  it('is not healthy as long as a helper cannot be started', async () => {
    const { part, state, kill } = helper();
    using supervisor = supervise([helper().part, part], recordingLog(), 5);
    await expect.poll(() => state.isRunning).toBe(true);
    state.canStart = false;
    kill();
    await expect.poll(() => supervisor.isHealthy).toBe(false);
    state.canStart = true;
    await expect.poll(() => supervisor.isHealthy).toBe(true);
  });

  it('ends when it is disposed', async () => {
    const { part, state, kill } = helper();
    const supervisor = supervise([part], recordingLog(), 1);
    await expect.poll(() => state.isRunning).toBe(true);
    supervisor[Symbol.dispose]();
    kill();
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(state.starts).toBe(1);
  });
});
