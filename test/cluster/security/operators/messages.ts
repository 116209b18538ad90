import { nkeys } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { connectOperator } from '../../../../packages/hotcast/src/remote/connect-operator.ts';
import { encode } from '../../../../protocol/codec.ts';
import { operatorInbox } from '../../../../protocol/inboxes.ts';
import { encodeHeard, type Heard } from '../../../../protocol/operators/session.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { signerOf } from '../../../../shared/nats/nkey.ts';
import { COOKIE } from '../../../support/operators/operator-stand.ts';
import { RawOperator, SILENCE_MS } from '../../../support/operators/raw-operator.ts';
import { ci, lastAudit, line, stand, TIMEOUT_MS } from './stand.ts';

const subjects = subjectsOf(COOKIE);

describe('an operator', () => {
  it('is the author of what it does, whatever its side says', async () => {
    await using nats = await connectOperator(ci);
    const raw = new RawOperator(nats, 'ci');
    await raw.open('push');
    raw.say(signerOf(ci.seed), { ...line('promote', 'demo'), env: { HOTCAST_AUTHOR: 'wilma' } } as Heard);
    expect(await raw.end(TIMEOUT_MS)).toMatchObject({ status: 2 });
    expect(await lastAudit()).toMatchObject({ author: 'ci', command: 'promote' });
  });

  it('is not believed without its key, also by a connection that may speak under its name', async () => {
    await using nats = await stand.connectAsTester(operatorInbox('ci'));
    const stranger = nkeys.createUser();
    const raw = new RawOperator(nats, 'ci');
    await raw.open('push');
    raw.say(input => stranger.sign(input), line('ping'));
    expect(await raw.end()).toBeNull();
  });

  it('is not believed twice: no message counts again, in its session or in another one', async () => {
    await using nats = await stand.connectAsTester(operatorInbox('ci'));
    const sign = signerOf(ci.seed);
    const raw = new RawOperator(nats, 'ci');
    await raw.open('push');
    const heard = encodeHeard(sign, raw.subject, 0, line('promote', 'demo'));
    nats.publish(raw.subject, heard);
    expect(await raw.end(TIMEOUT_MS)).not.toBeNull();
    const before = await lastAudit();
    const again = new RawOperator(nats, 'ci');
    await again.open('push');
    for (const subject of [raw.subject, again.subject]) nats.publish(subject, heard);
    expect(await again.end()).toBeNull();
    expect(await lastAudit()).toEqual(before);
  });

  it('cannot have the controller publish anywhere but in its own inboxes', async () => {
    await using nats = await stand.connectAsTester(operatorInbox('ci'));
    const seen: string[] = [];
    nats.subscribe(`hotcast.${COOKIE}.all.commit`, { callback: (_, { subject }) => void seen.push(subject) });
    nats.subscribe('_INBOX.operator.betty.x', { callback: (_, { subject }) => void seen.push(subject) });
    for (const inbox of [subjects.all('commit'), '_INBOX.operator.betty.x', '_INBOX.operator.ci.*', '']) {
      await expect(new RawOperator(nats, 'ci').open('push', { inbox, timeout: SILENCE_MS })).rejects.toThrow(
        /timeout/i,
      );
      nats.publish(subjects.operator('ci', 'push'), encode({ inbox: '_INBOX.operator.ci.x' }), { reply: inbox || 'x' });
    }
    await nats.flush();
    await stand.local('ping');
    expect(seen).toEqual([]);
  });

  it('decides nothing of how its command ends', async () => {
    await using nats = await connectOperator(ci);
    const raw = new RawOperator(nats, 'ci');
    await raw.open('push');
    const sign = signerOf(ci.seed);
    raw.say(sign, line('push', 'demo', '--json'));
    await raw.asked;
    const result = { command: 'ping', nodes: [] };
    raw.say(sign, { type: 'report', report: { type: 'result', result } });
    raw.say(sign, { type: 'failed', id: 1, error: 'no error' });
    const ended = await raw.end(TIMEOUT_MS);
    expect(ended).toMatchObject({ status: 2, stdout: expect.stringContaining('malformed') });
    expect(ended?.stdout).not.toContain('"ping"');
    expect(await lastAudit()).toMatchObject({ author: 'ci', command: 'push', outcome: 'failed' });
  });

  it('is told when its command line is of a release that the controller does not understand', async () => {
    await using nats = await connectOperator(ci);
    expect(await new RawOperator(nats, 'ci').open('read', { protocol: 99 })).toMatchObject({
      status: 'refused',
      message: expect.stringContaining('this hotcast is of another release'),
    });
  });

  it('runs sixteen commands at once at most', async () => {
    await using nats = await connectOperator(ci);
    const open = () => new RawOperator(nats, 'ci').open('read');
    const opened = await Promise.all(Array.from({ length: 17 }, open));
    expect(opened.filter(({ status }) => status === 'open').length).toBeLessThanOrEqual(16);
    expect(opened).toContainEqual({ status: 'refused', message: 'ci runs 16 commands already; nothing was sent' });
    // Those of which nothing is heard end by themselves.
    await expect.poll(async () => (await open()).status, { timeout: 20_000, interval: 500 }).toBe('open');
  });
});
