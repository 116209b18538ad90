import { describe, expect } from 'vitest';

import { subjectsOf } from '../../../../protocol/subjects.ts';
import { Attacker } from '../../../support/attack/attacker.ts';
import { it } from './cluster.ts';
import { controllerOnly } from './role-permissions.ts';

describe('the credentials of a second cookie', () => {
  it('give no access to the first cookie', async ({ cluster, nodeObserver }) => {
    const cookie = cluster.secondCookie;
    await cluster.addController(cookie);
    const snapshot = await nodeObserver.snapshot();
    await using attacker = await Attacker.as(cluster, 'controller', cookie);
    const subjects = subjectsOf(cluster.cookie);
    const published = Object.values(controllerOnly(cluster.cookie)).flat();
    expect(await attacker.attempt(published, [])).toEqual(published.map(subject => `publish ${subject}`));
    const subscribed = [subjects.events, subjects.heads, '>', '_INBOX.>'];
    expect(await attacker.attempt([], subscribed)).toEqual(subscribed.map(subject => `subscription ${subject}`));
    // The inboxes of both cookies have the same names, but are in different accounts.
    const received: string[] = [];
    attacker.nats.subscribe('_INBOX.controller.>', { callback: (_, message) => void received.push(message.string()) });
    await attacker.nats.flush();
    expect((await cluster.call('demo.add(4, 5)')).exitCode).toBe(0);
    await attacker.nats.flush();
    expect(received.join('\n')).not.toContain('fred');
    expect(await nodeObserver.snapshot()).toEqual(snapshot);
  });
});
