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

  it('that started on the old version ends on it', async ({ cluster }) => {
    cluster.writeModule('streamer', counting('old'));
    await cluster.push('streamer');
    const counted = valueOnFred(cluster, 'streamer.count()');
    await cluster.waitForLog('fred', line => line.module === 'streamer' && line.msg === 'counting');
    cluster.writeModule('streamer', counting('new'));
    expect((await cluster.push('streamer')).exitCode).toBe(0);
    expect((await moduleOnFred(cluster, 'streamer')).module).toMatchObject({ old: { inFlight: 1 } });
    await valueOnFred(cluster, 'streamer.go()');
    expect(await counted).toEqual(['old starts', 'old ends']);
    expect((await moduleOnFred(cluster, 'streamer')).module).toMatchObject({ inFlight: 0, old: null });
  });
});
