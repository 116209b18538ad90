import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { makeSigningKey, readSigningKey, readTrustedKey, trustedKeyFile } from '../../../../protocol/signing/keys.ts';
import { verifyEnvelope, type Verified, signEnvelope, signerOf } from '../../../../protocol/signing/envelope.ts';

const KEY = readSigningKey(makeSigningKey());
const OTHER = readSigningKey(makeSigningKey());
const trusted = new Map([KEY].map(key => [key.id, readTrustedKey(trustedKeyFile(key, null)).publicKey]));
const SUBJECT = 'hotcast.dino.head.demo';
const PAYLOAD = new TextEncoder().encode('{"module":"demo"}');

const faultOf = (opened: Verified): string => (opened.status === 'rejected' ? opened.fault : 'none');

describe('a signEnvelope', () => {
  it('gives back what was sealed, where it was sealed for', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), fc.uint8Array({ maxLength: 300 }), (subject, payload) => {
        const sealed = signEnvelope(KEY, subject, payload);
        const opened = verifyEnvelope(trusted, subject, sealed);
        expect(opened).toMatchObject({ status: 'verified', subject, key: KEY.id });
        expect(opened.status === 'verified' && Buffer.from(opened.payload).equals(payload)).toBe(true);
        expect(verifyEnvelope(trusted, null, sealed)).toEqual(opened);
        expect(signerOf(sealed)).toBe(KEY.id);
      }),
    );
  });

  it('does not verifyEnvelope anywhere else', () => {
    const sealed = signEnvelope(KEY, SUBJECT, PAYLOAD);
    for (const subject of ['hotcast.rubble.head.demo', 'hotcast.dino.head.demo2', 'hotcast.dino.bundle.demo', '']) {
      expect(faultOf(verifyEnvelope(trusted, subject, sealed))).toBe('wrong subject');
    }
  });

  it('of a key that is not trusted does not verifyEnvelope', () => {
    expect(faultOf(verifyEnvelope(trusted, SUBJECT, signEnvelope(OTHER, SUBJECT, PAYLOAD)))).toBe('unknown key');
    // Also when it says that it is another's.
    const posing = signEnvelope({ ...OTHER, id: KEY.id }, SUBJECT, PAYLOAD);
    expect(faultOf(verifyEnvelope(trusted, SUBJECT, posing))).toBe('bad signature');
  });

  it('does not verifyEnvelope when any bit of it was changed', () => {
    const sealed = signEnvelope(KEY, SUBJECT, PAYLOAD);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verifyEnvelope(trusted, SUBJECT, changed).status).toBe('rejected');
      expect(verifyEnvelope(trusted, null, changed).status).toBe('rejected');
    }
  });

  it('does not verifyEnvelope when it was cut, or something was added', () => {
    const sealed = signEnvelope(KEY, SUBJECT, PAYLOAD);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(verifyEnvelope(trusted, SUBJECT, sealed.subarray(0, length)).status).toBe('rejected');
    }
    expect(faultOf(verifyEnvelope(trusted, SUBJECT, Buffer.concat([sealed, Uint8Array.of(0)])))).toBe('bad signature');
  });

  it('is not seen in bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        expect(faultOf(verifyEnvelope(trusted, SUBJECT, bytes))).toBe('unsigned');
      }),
    );
  });
});
