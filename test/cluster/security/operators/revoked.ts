import { nkeys } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { connectOperator } from '../../../../packages/hotcast/src/remote/connect-operator.ts';
import { encodeRecord } from '../../../../protocol/codec.ts';
import { operatorInbox } from '../../../../protocol/inboxes.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { signerOf } from '../../../../shared/nats/nkey.ts';
import { COOKIE } from '../../../support/operators/operator-stand.ts';
import { RawOperator } from '../../../support/operators/raw-operator.ts';
import { ci, line, logged, stand, TIMEOUT_MS } from './stand.ts';

const subjects = subjectsOf(COOKIE);

describe('an operator that is revoked', () => {
  it('loses its connection and its commands at once, and is not admitted again', async () => {
    const betty = await stand.add('betty', ['logs']);
    const before = logged('an operator gives a command');
    await using nats = await connectOperator(betty);
    const tail = new RawOperator(nats, 'betty');
    await tail.open('logs');
    tail.say(signerOf(betty.seed), line('tail'));
    const following = stand.remote(betty, 'tail');
    await expect.poll(() => logged('an operator gives a command'), { timeout: TIMEOUT_MS }).toBe(before + 2);
    const revokedAt = performance.now();
    expect(await stand.local('operator', 'revoke', 'betty')).toMatchObject({ status: 0 });
    await nats.closed();
    // Without the revocation, it would be after ten seconds without a word of the client.
    expect(performance.now() - revokedAt).toBeLessThan(8_000);
    expect(await following).toMatchObject({ status: 2, stderr: expect.stringContaining('betty was revoked') });
    expect(await stand.remote(betty, 'ping')).toEqual({
      status: 2,
      stdout: '',
      stderr: `hotcast: ${stand.url} does not admit betty: it was revoked, or no controller runs; nothing was sent\n`,
    });
    expect((await stand.local('operator', 'list')).stdout).toMatch(/betty +revoked/);
  });

  it('is refused by the controller too, if NATS lets it speak', async () => {
    await using nats = await stand.connectAsTester(operatorInbox('betty'));
    expect(await new RawOperator(nats, 'betty').open('logs')).toEqual({
      status: 'refused',
      message: 'betty was revoked; nothing was sent',
    });
  });

  it('does not count again under its name, which somebody else can have', async () => {
    const again = await stand.add('betty', ['logs']);
    expect(await stand.remote(again, 'ping')).toMatchObject({ status: 0 });
    const { stdout, stderr } = await stand.local('operator', 'add', 'betty', '--url', stand.url);
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: expect.stringContaining('revoke it first') });
  });

  it('stays so after a new signing key, and the key before, which is revoked, makes no operators', async () => {
    await stand.local('operator', 'revoke', 'betty');
    const subject = subjects.operatorRecord('eve');
    const key = nkeys.createUser().getPublicKey();
    const record = { name: 'eve', key, may: ['push'], addedBy: 'eve', addedAt: 0, expiresAt: null, revokedAt: null };
    const signed = stand.keys.keyring(COOKIE).sign(subject, encodeRecord(record));
    const rotated = await stand.local('keys', 'rotate', '--json');
    const { previous } = JSON.parse(rotated.stdout) as { readonly previous: readonly string[] };
    await using thief = await stand.connectAs('controller');
    await thief.request(subject, signed);
    expect((await stand.local('keys', 'revoke', previous[0] ?? '')).status).toBe(0);
    const { stdout } = await stand.local('operator', 'list');
    expect(stdout).toMatch(/betty +revoked/);
    expect(stdout).not.toContain('eve');
    expect(await stand.remote(ci, 'ping')).toMatchObject({ status: 0 });
  });
});
