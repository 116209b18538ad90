import { nkeys } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { connectOperator } from '../../../packages/hotcast/src/remote/connect-operator.ts';
import { encode, encodeRecord } from '../../../protocol/codec.ts';
import { operatorInbox } from '../../../protocol/inboxes.ts';
import type { Credentials } from '../../../protocol/operators/credentials.ts';
import { encodeHeard, type Heard } from '../../../protocol/operators/session.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import { signerOf } from '../../../shared/nats/nkey.ts';
import { COOKIE, OperatorStand } from '../../support/operators/operator-stand.ts';
import { RawOperator } from '../../support/operators/raw-operator.ts';
import { run } from '../../support/shell.ts';

const subjects = subjectsOf(COOKIE);
const TIMEOUT_MS = 10_000;

let stand: OperatorStand;
let ci: Credentials;

const line = (...args: string[]): Heard => ({ type: 'run', args, env: {}, isTerminal: false });

/** The last entry of the audit, as JSON. */
async function lastAudit(): Promise<{ readonly author: string; readonly command: string; readonly detail: string }> {
  const { stdout } = await stand.local('audit', '--json');
  const { entries } = JSON.parse(stdout) as { readonly entries: readonly never[] };
  return entries[0] ?? { author: '', command: '', detail: '' };
}

const logged = (text: string): number => stand.log.logged.filter(({ message }) => message.includes(text)).length;

beforeAll(async () => {
  const bundled = await run('npm', ['run', 'bundle', '-w', 'packages/hotcast'], {});
  expect(bundled.exitCode, bundled.stderr).toBe(0);
  stand = await OperatorStand.start();
  ci = await stand.add('ci', ['push']);
});
afterAll(() => stand?.[Symbol.asyncDispose]());

describe('an operator', () => {
  it('reads from afar what the command line beside the controller prints', async () => {
    const here = await stand.local('ping');
    expect(await stand.remote(ci, 'ping')).toEqual({ ...here, stdout: expect.stringMatching(/fred +pong/) });
    expect(await stand.remote(ci, 'status')).toMatchObject({ status: 0, stderr: '' });
    expect(await stand.remote(ci, 'dance')).toMatchObject({ status: 2, stderr: expect.stringContaining('dance') });
  });

  it('is told in one line what works beside the controller only', async () => {
    for (const command of ['shell', 'backup', 'operator', 'keys']) {
      expect(await stand.remote(ci, command, 'list')).toEqual({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(/^hotcast: \w+ does not work from afar: run it on the controller's machine.*\n$/),
      });
    }
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
    const all = [['keys', 'rotate'], ['operator', 'add', 'eve', '--url', stand.url], ['operator', 'list'], ['dev']];
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
      await expect(new RawOperator(nats, 'ci').open('push', inbox)).rejects.toThrow(/timeout/i);
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
    expect(await new RawOperator(nats, 'ci').open('read', undefined, 99)).toMatchObject({
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

  it('is nobody whom the key of the controller at NATS has made one', async () => {
    const stranger = nkeys.createUser();
    const seed = Buffer.from(stranger.getSeed()).toString();
    await stand.stopController();
    const forger = await stand.connectAs('controller');
    forger.subscribe(subjects.operatorKey, {
      callback: (_, message) => void message.respond(encode({ status: 'operator', name: 'ci', may: ['push'] })),
    });
    await forger.flush();
    await using nats = await connectOperator({ ...ci, seed });
    await forger.close();
    await stand.startController();
    const raw = new RawOperator(nats, 'ci');
    expect(await raw.open('push')).toMatchObject({ status: 'open' });
    raw.say(signerOf(seed), line('ping'));
    expect(await raw.end()).toBeNull();
  });

  it('is not admitted with the key of another role, nor is another role with its key', async () => {
    const others = [stand.keys.as('node', COOKIE), stand.keys.as('observer', COOKIE)];
    for (const authenticator of others) {
      const asOperator = await stand.tryToConnect(`hotcast-operator ${COOKIE}`, authenticator, operatorInbox('ci'));
      if (asOperator === null) continue;
      // NATS's own configuration knows this key: its permissions are those of its role.
      await expect(asOperator.request(subjects.operator('ci', 'push'), '', { timeout: TIMEOUT_MS })).rejects.toThrow(
        /permission/i,
      );
      await asOperator.close();
    }
    expect(await stand.tryToConnect('hotcast-node 0123ab', stand.authenticatorOf(ci))).toBeNull();
    expect(await stand.tryToConnect('hotcast-operator quarry', stand.authenticatorOf(ci))).toBeNull();
    await using controller = await stand.connectAs('controller');
    const opened = controller.request(subjects.operator('ci', 'push'), '', { timeout: TIMEOUT_MS });
    await expect(opened).rejects.toThrow(/permission/i);
  });
});

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
    expect(performance.now() - revokedAt).toBeLessThan(2_000);
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
      message: 'betty is no operator, or was revoked; nothing was sent',
    });
  });

  it('does not count again under its name, which somebody else can have', async () => {
    const again = await stand.add('betty', ['logs']);
    expect(await stand.remote(again, 'ping')).toMatchObject({ status: 0 });
    const { stdout, stderr } = await stand.local('operator', 'add', 'betty', '--url', stand.url);
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: expect.stringContaining('revoke it first') });
  });

  it('stays so after a new signing key, and the key before makes no operators', async () => {
    await stand.local('operator', 'revoke', 'betty');
    const subject = subjects.operatorRecord('eve');
    const key = nkeys.createUser().getPublicKey();
    const record = { name: 'eve', key, may: ['push'], addedBy: 'eve', addedAt: 0, revokedAt: null };
    const signed = stand.keys.keyring(COOKIE).sign(subject, encodeRecord(record));
    expect((await stand.local('keys', 'rotate')).status).toBe(0);
    await using thief = await stand.connectAs('controller');
    await thief.request(subject, signed);
    const { stdout } = await stand.local('operator', 'list');
    expect(stdout).toMatch(/betty +revoked/);
    expect(stdout).not.toContain('eve');
    expect(await stand.remote(ci, 'ping')).toMatchObject({ status: 0 });
  });
});

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
