import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { makeSigningKey, readSigningKey, trustedKeyFile } from '../../../../protocol/signing/keys.ts';
import { TrustedKeyFiles } from '../../../../protocol/signing/trusted-keys.ts';

const OLD = readSigningKey(makeSigningKey());
const NEW = readSigningKey(makeSigningKey());

describe('trust', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'], now: 1_700_000_000_000 }));
  afterEach(() => void vi.useRealTimers());

  it('is in the keys whose files there are', () => {
    const trust = new TrustedKeyFiles(() => [trustedKeyFile(OLD, null)]);
    expect(trust.get(OLD.id)?.asymmetricKeyType).toBe('ed25519');
    expect(trust.get(NEW.id)).toBeUndefined();
  });

  it('takes in a key that was added, without a restart', () => {
    const files = [trustedKeyFile(OLD, null)];
    const trust = new TrustedKeyFiles(() => files);
    expect(trust.get(OLD.id)).toBeDefined();
    files.push(trustedKeyFile(NEW, null));
    vi.advanceTimersByTime(1_000);
    expect(trust.get(NEW.id)).toBeDefined();
    expect(trust.get(OLD.id)).toBeDefined();
  });

  it('ends with the time that a key was given', () => {
    const trust = new TrustedKeyFiles(() => [trustedKeyFile(OLD, Date.now() + 60_000)]);
    expect(trust.get(OLD.id)).toBeDefined();
    vi.advanceTimersByTime(59_999);
    expect(trust.get(OLD.id)).toBeDefined();
    vi.advanceTimersByTime(1);
    expect(trust.get(OLD.id)).toBeUndefined();
  });

  it('does not read the files for each of a flood of unknown keys', () => {
    const read = vi.fn<() => Uint8Array[]>(() => []);
    const trust = new TrustedKeyFiles(read);
    for (let index = 0; index < 1_000; index += 1) trust.get(`key ${index}`);
    expect(read).toHaveBeenCalledTimes(1);
  });
});
