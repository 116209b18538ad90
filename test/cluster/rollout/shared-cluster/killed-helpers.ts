import { describe, expect } from 'vitest';

import type { Cluster } from '../../../support/cluster/cluster.ts';
import { it } from './cluster.ts';

describe('killed helpers', () => {
  /** Kills the processes of a program in the controller's container. Returns how many there were. */
  const kill = async (cluster: Cluster, program: string): Promise<number> => {
    const script = `for process in /proc/[0-9]*; do
      if [ "$(cat $process/comm)" = ${program} ]; then kill -KILL "\${process#/proc/}" && echo killed; fi
    done`;
    const { stdout } = await cluster.exec('controller', ['sh', '-c', script]);
    return stdout.split('\n').filter(line => line === 'killed').length;
  };

  it('do not fail the next push, and the log names them', async ({ cluster }) => {
    const push = () => cluster.exec('controller', ['hotcast', 'push', 'demo']);
    expect(await push()).toMatchObject({ exitCode: 0 });
    const startedAt = Date.now();
    expect(await kill(cluster, 'esbuild')).toBe(1);
    expect(await kill(cluster, 'tsc')).toBe(1);
    expect(await push()).toMatchObject({ exitCode: 0, stderr: '' });
    for (const name of ['esbuild', 'the type checker']) {
      const text = `${name} was killed (SIGKILL), most likely for memory; it is started again`;
      await cluster.waitForLog('controller', ({ msg }) => msg === text, startedAt);
    }
    const health = await cluster.exec('controller', [
      'sh',
      '-c',
      'echo $(($(date +%s) - $(stat -c %Y /run/hotcast/alive)))',
    ]);
    expect(Number(health.stdout)).toBeLessThan(10);
  });
});
