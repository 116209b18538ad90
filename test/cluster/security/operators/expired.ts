import { describe, expect, it } from 'vitest';

import { connectOperator } from '../../../../packages/hotcast/src/remote/connect-operator.ts';
import { operatorInbox } from '../../../../protocol/inboxes.ts';
import type { Credentials } from '../../../../protocol/operators/credentials.ts';
import { signerOf } from '../../../../shared/nats/nkey.ts';
import { RawOperator } from '../../../support/operators/raw-operator.ts';
import { line, stand } from './stand.ts';

const EXPIRED = /pebbles expired at 20\S+Z/;

describe('an operator that expires', () => {
  let pebbles: Credentials;

  it('may do what it may until then; then its commands end with a line, and its connections', async () => {
    pebbles = await stand.add('pebbles', ['logs'], '--expires', '10s');
    expect((await stand.local('operator', 'list')).stdout).toMatch(/pebbles +may read and logs until 20\S+Z/);
    expect((await stand.local('doctor')).stdout).toMatch(/pebbles expires in/);
    await using nats = await connectOperator(pebbles);
    const tail = new RawOperator(nats, 'pebbles');
    await tail.open('logs');
    tail.say(signerOf(pebbles.seed), line('tail'));
    expect(await tail.end(30_000)).toMatchObject({ status: 2, stderr: expect.stringMatching(EXPIRED) });
    expect(Date.now()).toBeGreaterThanOrEqual(pebbles.expiresAt ?? Infinity);
    await nats.closed();
    expect((await stand.local('operator', 'list')).stdout).toMatch(/pebbles +expired 20/);
  });

  it('is refused by NATS and by the controller, each with the reason', async () => {
    expect(await stand.remote(pebbles, 'ping')).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(EXPIRED),
    });
    await using nats = await stand.connectAsTester(operatorInbox('pebbles'));
    expect(await new RawOperator(nats, 'pebbles').open('logs')).toEqual({
      status: 'refused',
      message: expect.stringMatching(EXPIRED),
    });
  });

  it('can be added again under its name', async () => {
    const again = await stand.add('pebbles', [], '--expires', '1h');
    expect(await stand.remote(again, 'ping')).toMatchObject({ status: 0, stderr: '' });
    await stand.local('operator', 'revoke', 'pebbles');
  });

  it.each(['1', 'yesterday', '2001-01-01', '-1d'])('is not made to expire at %j', async time => {
    const { status, stdout, stderr } = await stand.local(
      'operator',
      'add',
      'ed',
      '--url',
      stand.url,
      '--expires',
      time,
    );
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('give a time from now, or a date to come');
  });
});
