import { describe, expect, it } from 'vitest';

import { OperatorStand } from '../../../support/operators/operator-stand.ts';
import { stand } from './stand.ts';

describe('a cluster without TLS', () => {
  it('has operators at the end of a tunnel only', async () => {
    await using plain = await OperatorStand.start({ tls: false });
    const afar = await plain.local('operator', 'add', 'ci', '--url', 'tls://fleet.example.com:4222');
    expect(afar).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('NATS has no TLS here') });
    for (const url of ['nats://fleet.example.com:4222', 'fleet.example.com', 'tls://a:b@c:1', 'nats://127.0.0.1']) {
      const wrong = await plain.local('operator', 'add', 'ci', '--url', url);
      expect(wrong, url).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringContaining('--url is tls://HOST:PORT'),
      });
    }
    const tunnel = await plain.add('ci', []);
    expect(tunnel.url).toMatch(/^nats:\/\/127\.0\.0\.1:/);
    expect(await plain.remote(tunnel, 'ping')).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('a new operator', () => {
  it.each([
    [['Ci'], 'is not an operator'],
    [['ci', '--may', 'push,fly'], 'an operator may: logs, call, push'],
    [['ci', '--may', 'push,push'], 'is named twice'],
  ])('is not made of %j, and it says why', async (args, why) => {
    const { status, stdout, stderr } = await stand.local('operator', 'add', ...args, '--url', stand.url);
    expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: expect.stringContaining(why) });
  });
});
