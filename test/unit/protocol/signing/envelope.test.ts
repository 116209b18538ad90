import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { makeSigningKey, readSigningKey, readTrustedKey, trustedKeyFile } from '../../../../protocol/signing/keys.ts';
import { verifyEnvelope, type Verified, signEnvelope, signerOf } from '../../../../protocol/signing/envelope.ts';

const KEY = readSigningKey(makeSigningKey());
const OTHER = readSigningKey(makeSigningKey());
const trusted = new Map([KEY].map(key => [key.id, readTrustedKey(trustedKeyFile(key, null)).publicKey]));
const SUBJECT = 'hotcast.dino.head.demo';
const PAYLOAD = new TextEncoder().encode('{"module":"demo"}');

const faultOf = (verified: Verified): string => (verified.status === 'rejected' ? verified.fault : 'none');

describe('an envelope', () => {
  it('returns its payload on the subject that it was signed for', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), fc.uint8Array({ maxLength: 300 }), (subject, payload) => {
        const signed = signEnvelope(KEY, subject, payload);
        const verified = verifyEnvelope(trusted, subject, signed);
        expect(verified).toMatchObject({ status: 'verified', subject, key: KEY.id });
        expect(verified.status === 'verified' && Buffer.from(verified.payload).equals(payload)).toBe(true);
        expect(verifyEnvelope(trusted, null, signed)).toEqual(verified);
        expect(signerOf(signed)).toBe(KEY.id);
      }),
    );
  });

  it('is rejected on every other subject', () => {
    const signed = signEnvelope(KEY, SUBJECT, PAYLOAD);
    for (const subject of ['hotcast.rubble.head.demo', 'hotcast.dino.head.demo2', 'hotcast.dino.bundle.demo', '']) {
      expect(faultOf(verifyEnvelope(trusted, subject, signed))).toBe('wrong subject');
    }
  });

  it('is rejected when its key is not trusted', () => {
    expect(faultOf(verifyEnvelope(trusted, SUBJECT, signEnvelope(OTHER, SUBJECT, PAYLOAD)))).toBe('unknown key');
    // Also with the id of a trusted key.
    const forged = signEnvelope({ ...OTHER, id: KEY.id }, SUBJECT, PAYLOAD);
    expect(faultOf(verifyEnvelope(trusted, SUBJECT, forged))).toBe('bad signature');
  });

  it('is rejected after a change of any bit', () => {
    const signed = signEnvelope(KEY, SUBJECT, PAYLOAD);
    for (let bit = 0; bit < signed.length * 8; bit += 1) {
      const changed = Uint8Array.from(signed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verifyEnvelope(trusted, SUBJECT, changed).status).toBe('rejected');
      expect(verifyEnvelope(trusted, null, changed).status).toBe('rejected');
    }
  });

  it('is rejected when it is cut off or has additional bytes', () => {
    const signed = signEnvelope(KEY, SUBJECT, PAYLOAD);
    for (let length = 0; length < signed.length; length += 1) {
      expect(verifyEnvelope(trusted, SUBJECT, signed.subarray(0, length)).status).toBe('rejected');
    }
    expect(faultOf(verifyEnvelope(trusted, SUBJECT, Buffer.concat([signed, Uint8Array.of(0)])))).toBe('bad signature');
  });

  it('is not found in random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        expect(faultOf(verifyEnvelope(trusted, SUBJECT, bytes))).toBe('unsigned');
      }),
    );
  });
});
