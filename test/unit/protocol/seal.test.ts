import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { makeSigningKey, readSigningKey, readTrustedKey, trustedKeyFile } from '../../../protocol/keys.ts';
import { open, type Opened, seal, sealedBy } from '../../../protocol/seal.ts';

const KEY = readSigningKey(makeSigningKey());
const OTHER = readSigningKey(makeSigningKey());
const trusted = new Map([KEY].map(key => [key.id, readTrustedKey(trustedKeyFile(key, null)).publicKey]));
const SUBJECT = 'hotcast.dino.head.demo';
const PAYLOAD = new TextEncoder().encode('{"module":"demo"}');

const faultOf = (opened: Opened): string => (opened.status === 'faulty' ? opened.fault : 'none');

describe('a seal', () => {
  it('gives back what was sealed, where it was sealed for', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), fc.uint8Array({ maxLength: 300 }), (subject, payload) => {
        const sealed = seal(KEY, subject, payload);
        const opened = open(trusted, subject, sealed);
        expect(opened).toMatchObject({ status: 'opened', subject, key: KEY.id });
        expect(opened.status === 'opened' && Buffer.from(opened.payload).equals(payload)).toBe(true);
        expect(open(trusted, null, sealed)).toEqual(opened);
        expect(sealedBy(sealed)).toBe(KEY.id);
      }),
    );
  });

  it('does not open anywhere else', () => {
    const sealed = seal(KEY, SUBJECT, PAYLOAD);
    for (const subject of ['hotcast.rubble.head.demo', 'hotcast.dino.head.demo2', 'hotcast.dino.bundle.demo', '']) {
      expect(faultOf(open(trusted, subject, sealed))).toBe('misplaced');
    }
  });

  it('of a key that is not trusted does not open', () => {
    expect(faultOf(open(trusted, SUBJECT, seal(OTHER, SUBJECT, PAYLOAD)))).toBe('unknown key');
    // Also when it says that it is another's.
    const posing = seal({ ...OTHER, id: KEY.id }, SUBJECT, PAYLOAD);
    expect(faultOf(open(trusted, SUBJECT, posing))).toBe('forged');
  });

  it('does not open when any bit of it was changed', () => {
    const sealed = seal(KEY, SUBJECT, PAYLOAD);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(open(trusted, SUBJECT, changed).status).toBe('faulty');
      expect(open(trusted, null, changed).status).toBe('faulty');
    }
  });

  it('does not open when it was cut, or something was added', () => {
    const sealed = seal(KEY, SUBJECT, PAYLOAD);
    for (let length = 0; length < sealed.length; length += 1) {
      expect(open(trusted, SUBJECT, sealed.subarray(0, length)).status).toBe('faulty');
    }
    expect(faultOf(open(trusted, SUBJECT, Buffer.concat([sealed, Uint8Array.of(0)])))).toBe('forged');
  });

  it('is not seen in bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        expect(faultOf(open(trusted, SUBJECT, bytes))).toBe('unsealed');
      }),
    );
  });
});
