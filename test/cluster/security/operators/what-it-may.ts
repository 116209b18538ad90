import { describe, expect, it } from 'vitest';

import { connectOperator } from '../../../../packages/hotcast/src/remote/connect-operator.ts';
import { operatorInbox } from '../../../../protocol/inboxes.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { signerOf } from '../../../../shared/nats/nkey.ts';
import { COOKIE } from '../../../support/operators/operator-stand.ts';
import { RawOperator } from '../../../support/operators/raw-operator.ts';
import { ci, lastAudit, line, logged, stand, TIMEOUT_MS } from './stand.ts';

const subjects = subjectsOf(COOKIE);

describe('an operator', () => {
  it('reads from afar what the command line beside the controller prints', async () => {
    const here = await stand.local('ping');
    expect(await stand.remote(ci, 'ping')).toEqual({ ...here, stdout: expect.stringMatching(/fred +pong/) });
    expect(await stand.remote(ci, 'status')).toMatchObject({ status: 0, stderr: '' });
    expect(await stand.remote(ci, 'dance')).toMatchObject({ status: 2, stderr: expect.stringContaining('dance') });
  });

  it('is told in one line what works beside the controller only', async () => {
    for (const command of ['shell', 'dev', 'backup', 'restore', 'operator', 'keys']) {
      expect(await stand.remote(ci, command, 'add')).toEqual({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(
          /^hotcast: \w+ does not work from afar: .*run it on the controller's machine.*; nothing was sent\n$/,
        ),
      });
    }
    expect(await stand.remote(ci, 'operator', 'list')).toEqual(await stand.local('operator', 'list'));
  });

  it('is refused by NATS what it may not do', async () => {
    const before = logged('may not');
    expect(await stand.remote(ci, 'rollback', 'demo')).toEqual({
      status: 2,
      stdout: '',
      stderr: 'hotcast: ci may not rollback; nothing was sent\n',
    });
    // The controller has not heard of it.
    expect(logged('may not')).toBe(before);
    await using nats = await connectOperator(ci);
    const foreign = [
      subjects.operator('ci', 'rollback'),
      subjects.operatorSession('ci', 'rollback', 'x'),
      subjects.operator('betty', 'push'),
      subjects.head('demo'),
      subjects.node('fred', 'ping'),
      subjects.all('ping'),
      subjects.operatorRecord('ci'),
      subjects.operatorKey,
      subjects.operatorChange,
      subjects.roster,
      operatorInbox('ci'),
      '$JS.API.INFO',
      '$SYS.REQ.SERVER.PING',
    ];
    for (const subject of foreign) {
      await expect(nats.request(subject, '', { timeout: TIMEOUT_MS }), subject).rejects.toThrow(/permission/i);
    }
    for (const subject of [`${operatorInbox('betty')}.>`, '_INBOX.>', 'hotcast.>', subjects.operatorSessions]) {
      const refused = new Promise(resolve => nats.subscribe(subject, { callback: resolve }));
      expect(String(await refused), subject).toMatch(/permission/i);
    }
  });

  it('is refused by the controller what it may not do, if NATS lets it through', async () => {
    await using nats = await stand.connectAsTester(operatorInbox('ci'));
    expect(await new RawOperator(nats, 'ci').open('rollback')).toEqual({
      status: 'refused',
      message: 'ci may not rollback; nothing was sent (it may read and push)',
    });
    const sign = signerOf(ci.seed);
    for (const args of [
      ['rollback', 'demo'],
      ['remove', 'demo'],
      ['bans', '--lift', 'demo'],
    ]) {
      const raw = new RawOperator(nats, 'ci');
      await raw.open('push');
      raw.say(sign, line(...args));
      const ended = await raw.end(TIMEOUT_MS);
      expect(ended).toMatchObject({ status: 2, stderr: expect.stringMatching(/ci may not \w+; nothing was sent/) });
      // It is in the audit, under the operator's name.
      expect(await lastAudit()).toMatchObject({ author: 'ci', detail: expect.stringContaining('ci may not') });
    }
  });

  it('is refused what nobody may do from afar, whatever it says', async () => {
    await using nats = await connectOperator(ci);
    const all = [
      ['keys', 'rotate'],
      ['operator', 'add', 'eve', '--url', stand.url],
      ['operator', 'revoke', 'ci'],
      ['dev'],
    ];
    for (const args of [...all, ['serve'], ['shell'], ['backup', '-'], ['restore', '-']]) {
      const raw = new RawOperator(nats, 'ci');
      await raw.open('push');
      raw.say(signerOf(ci.seed), line(...args));
      expect(await raw.end(TIMEOUT_MS), args.join(' ')).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(/machine of the controller|process of its own/),
      });
    }
    expect((await stand.local('operator', 'list')).stdout).not.toContain('eve');
  });
});
