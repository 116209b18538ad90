import { describe, expect } from 'vitest';

import { it } from './cluster.ts';
import { moduleOnFred, valueOnFred } from './fred.ts';

describe('a stream of values', () => {
  const counting = (name: string): string => `
    const { data } = import.meta.hot;
    export async function* count() {
      yield '${name} starts';
      await new Promise<void>(resolve => { data['go'] = resolve; console.log('counting'); });
      yield '${name} ends';
    }
    export const go = () => (data['go'] as () => void)();
  `;

  it('ends on the version that it started on, and hinders no push meanwhile', async ({ cluster }) => {
    cluster.writeModule('streamer', counting('old'));
    const { revision } = await cluster.push('streamer');
    const counted = valueOnFred(cluster, 'streamer.count()');
    await cluster.waitForLog('fred', line => line.module === 'streamer' && line.msg === 'counting');
    for (const name of ['new', 'newer', 'newest']) {
      cluster.writeModule('streamer', counting(name));
      expect((await cluster.push('streamer')).exitCode).toBe(0);
    }
    const { draining, process } = await moduleOnFred(cluster, 'streamer');
    expect(draining).toMatchObject([{ revision, inFlight: 1, heldBy: 'streamer.count' }]);
    const status = await cluster.hotcast('status', '--verbose');
    expect(status.stdout).toMatch(
      /^streamer +fred .* ok; streamer@\w+ drains since .*, 1 in flight: streamer\.count$/m,
    );
    await valueOnFred(cluster, 'streamer.go()');
    expect(await counted).toEqual(['old starts', 'old ends']);
    expect(await moduleOnFred(cluster, 'streamer')).toMatchObject({ draining: [], module: { inFlight: 0 }, process });
  });
});
