import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { makeSigningKey, readSigningKey, trustedKeyFile } from '../../../../protocol/signing/keys.ts';
import { trustedKeyFiles } from '../../../../protocol/signing/trusted-keys.ts';

const OLD = readSigningKey(makeSigningKey());
const NEW = readSigningKey(makeSigningKey());

describe('trustedKeyFiles', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'], now: 1_700_000_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it('trusts the keys that have a file', () => {
    const keys = trustedKeyFiles(() => [trustedKeyFile(OLD, null)]);
    expect(keys.get(OLD.id)?.asymmetricKeyType).toBe('ed25519');
    expect(keys.get(NEW.id)).toBeUndefined();
  });

  it('trusts an added key without a restart', () => {
    const files = [trustedKeyFile(OLD, null)];
    const keys = trustedKeyFiles(() => files);
    expect(keys.get(OLD.id)).toBeDefined();
    files.push(trustedKeyFile(NEW, null));
    vi.advanceTimersByTime(1_000);
    expect(keys.get(NEW.id)).toBeDefined();
    expect(keys.get(OLD.id)).toBeDefined();
  });

  it('stops to trust a key at its end', () => {
    const keys = trustedKeyFiles(() => [trustedKeyFile(OLD, Date.now() + 60_000)]);
    expect(keys.get(OLD.id)).toBeDefined();
    vi.advanceTimersByTime(59_999);
    expect(keys.get(OLD.id)).toBeDefined();
    vi.advanceTimersByTime(1);
    expect(keys.get(OLD.id)).toBeUndefined();
  });

  it('does not read the files again for each unknown key of a flood', () => {
    const read = vi.fn<() => Uint8Array[]>(() => []);
    const keys = trustedKeyFiles(read);
    for (let index = 0; index < 1_000; index += 1) keys.get(`key ${index}`);
    expect(read).toHaveBeenCalledTimes(1);
  });
});
