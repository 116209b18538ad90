import { describe, expect } from 'vitest';

import type { Cluster } from '../../../support/cluster/cluster.ts';
import { it } from './cluster.ts';

/** The helpers as the log names them, with words of their command lines. */
const HELPERS = {
  esbuild: 'esbuild --service',
  'the type checker': 'tsc --api',
  'the standby of the preflight': 'preflight.mjs',
};

describe('killed helpers', () => {
  /** Kills the processes in the controller's container whose command line has these words. Returns how many there were. */
  const kill = async (cluster: Cluster, words: string): Promise<number> => {
    // The shell has the words in its command line too.
    const script = `for process in /proc/[0-9]*; do
      [ $process = /proc/$$ ] && continue
      case "$(tr '\\0' ' ' < $process/cmdline)" in
        *'${words}'*) kill -KILL "\${process#/proc/}" && echo killed;;
      esac
    done`;
    const { stdout } = await cluster.exec('controller', ['sh', '-c', script]);
    return stdout.split('\n').filter(line => line === 'killed').length;
  };

  it('do not fail the next push, and the log names them', async ({ cluster }) => {
    const push = () => cluster.exec('controller', ['hotcast', 'push', 'demo']);
    expect(await push()).toMatchObject({ exitCode: 0 });
    const startedAt = Date.now();
    for (const words of Object.values(HELPERS)) expect(await kill(cluster, words)).toBe(1);
    expect(await push()).toMatchObject({ exitCode: 0, stderr: '' });
    for (const name of Object.keys(HELPERS)) {
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
