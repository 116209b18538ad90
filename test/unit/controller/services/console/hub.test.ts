import { describe, expect, it } from 'vitest';

import { Hub } from '../../../../../controller/src/services/console/http/hub.ts';

const regions = (elements: Record<string, string>, ids: string[]) => ({
  elements: new Map(Object.entries(elements)),
  lists: new Map([['grid', ids]]),
});

describe('the hub', () => {
  it('gives each reader what has changed since its version, however late it comes', () => {
    const hub = new Hub();
    hub.update(regions({ fred: '1', betty: '1' }, ['fred', 'betty']));
    const first = hub.version;
    hub.update(regions({ fred: '2', betty: '1' }, ['fred', 'betty']));
    hub.update(regions({ fred: '3', betty: '1' }, ['fred', 'betty']));
    expect(hub.since(first)).toMatchObject({ elements: { fred: '3' }, lists: {} });
    expect(hub.since(0)).toMatchObject({ elements: { fred: '3', betty: '1' }, lists: { grid: ['fred', 'betty'] } });
    expect(hub.since(hub.version)).toBeNull();
  });

  it('wakes who waits at a change, and not when nothing has changed', async () => {
    const hub = new Hub();
    hub.update(regions({ fred: '1' }, ['fred']));
    let woken = false;
    const waiting = hub.next(60_000, new AbortController().signal).then(() => (woken = true));
    hub.update(regions({ fred: '1' }, ['fred']));
    await Promise.resolve();
    expect(woken).toBe(false);
    hub.update(regions({ fred: '2' }, ['fred']));
    await waiting;
    expect(woken).toBe(true);
  });

  it('knows whether anybody follows the page', () => {
    const hub = new Hub();
    const leave = [hub.watch(), hub.watch()];
    leave[0]?.();
    expect(hub.isWatched).toBe(true);
    leave[1]?.();
    expect(hub.isWatched).toBe(false);
  });
});
