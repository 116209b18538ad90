import { describe, expect, it } from 'vitest';

import { signEnvelope, type TrustedKeys } from '../../../../protocol/signing/envelope.ts';
import { makeSigningKey, readSigningKey, readTrustedKey, trustedKeyFile } from '../../../../protocol/signing/keys.ts';
import { isPushed, signPush, verifyPush } from '../../../../protocol/signing/push-signature.ts';

const key = readSigningKey(makeSigningKey());
const other = readSigningKey(makeSigningKey());
const { publicKey } = readTrustedKey(trustedKeyFile(key, null));
const trusted: TrustedKeys = { get: id => (id === key.id ? publicKey : undefined) };

const SUBJECT = `hotcast.dino.bundle.demo.${'a'.repeat(64)}`;
const bundle = signEnvelope(key, SUBJECT, Buffer.from('the bundle'));
const head = signEnvelope(key, 'hotcast.dino.head.demo', Buffer.from('the head'));
const push = signPush(key, SUBJECT, bundle, head);

/** The signature with some bits of one byte changed. */
function changed(at: number, bits = 1): string {
  const bytes = Buffer.from(push, 'base64');
  bytes[at] = (bytes[at] ?? 0) ^ bits;
  return bytes.toString('base64');
}

const faultOf = (signature: string, subject = SUBJECT, envelope = bundle): string => {
  const verified = verifyPush(trusted, subject, envelope, signature);
  return verified.status === 'rejected' ? verified.fault : 'none';
};

describe('the signature of a push', () => {
  it('covers the bundle, and tells its head from every other one', () => {
    const verified = verifyPush(trusted, SUBJECT, bundle, push);
    if (verified.status === 'rejected') throw new Error(verified.fault);
    expect(verified.head.key).toBe(key.id);
    expect(isPushed(verified.head, head)).toBe(true);
    for (const different of [head.subarray(0, -1), Buffer.concat([head, Buffer.of(0)]), bundle, new Uint8Array()]) {
      expect(isPushed(verified.head, different)).toBe(false);
    }
  });

  it('does not say the head, which nobody else can make', () => {
    // In it is a signature, and neither that nor the envelope is what the push says.
    expect(Buffer.from(push, 'base64').includes(head.subarray(11, 75))).toBe(false);
    expect(Buffer.from(push, 'base64').length).toBeLessThan(head.length);
  });

  it('fails for another subject, another bundle, and another head', () => {
    expect(faultOf(push, SUBJECT.replace('demo', 'other'))).toBe('bad signature');
    expect(faultOf(push, SUBJECT, signEnvelope(key, SUBJECT, Buffer.from('another')))).toBe('bad signature');
    expect(faultOf(push, SUBJECT, Buffer.concat([bundle, Buffer.of(0)]))).toBe('bad signature');
    for (const at of [72, 90, 103]) expect(faultOf(changed(at))).toBe('bad signature');
  });

  it('fails when it is changed, cut off, or made with another key', () => {
    expect(faultOf(changed(0))).toBe('unknown key');
    for (const at of [8, 40, 71]) expect(faultOf(changed(at, 0x80))).toBe('bad signature');
    for (const text of ['', 'AA==', push.slice(0, -8), 'no base64 at all!']) {
      expect(faultOf(text)).toBe('unsigned');
    }
    expect(faultOf(signPush(other, SUBJECT, bundle, head))).toBe('unknown key');
    expect(faultOf(signPush({ ...other, id: key.id }, SUBJECT, bundle, head))).toBe('bad signature');
  });

  it('is no signature of an envelope, nor the other way round', () => {
    const inEnvelope = bundle.subarray(3, 75);
    const asPush = Buffer.concat([inEnvelope, Buffer.alloc(32)]).toString('base64');
    expect(faultOf(asPush)).toBe('bad signature');
  });
});
