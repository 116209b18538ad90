import { describe, expect, it } from 'vitest';

import { loadClusterConfig } from '../../../shared/cluster-config.ts';
import { UsageError } from '../../../protocol/errors.ts';

describe('loadClusterConfig', () => {
  const defaults = { cookie: 'dino', natsUrl: 'nats://nats:4222', keysDir: '/run/keys/dino', logLevel: 'info' };

  it('has a default for everything', () => {
    expect(loadClusterConfig({})).toEqual(defaults);
  });

  it('takes an empty variable for one that is not set, as Compose writes it', () => {
    expect(loadClusterConfig({ COOKIE: '', NATS_URL: '', LOG_LEVEL: '' })).toEqual(defaults);
  });

  it('reads what is set', () => {
    expect(loadClusterConfig({ COOKIE: 'rex', NATS_URL: 'tls://10.0.0.1:4333', LOG_LEVEL: 'debug' })).toEqual({
      cookie: 'rex',
      natsUrl: 'tls://10.0.0.1:4333',
      keysDir: '/run/keys/rex',
      logLevel: 'debug',
    });
  });

  it('names all bad variables at once, in one line', () => {
    const env = { COOKIE: 'a.b', NATS_URL: 'http://x', LOG_LEVEL: 'loud' };
    expect(() => loadClusterConfig(env)).toThrow(UsageError);
    expect(() => loadClusterConfig(env)).toThrow(
      /^COOKIE must be [^\n]*; NATS_URL must look like [^\n]*; LOG_LEVEL must be [^\n]*$/,
    );
  });

  it.each([
    [{ COOKIE: '*' }, /^COOKIE [^;]*$/],
    [{ NATS_URL: 'nats://' }, /^NATS_URL [^;]*$/],
    [{ LOG_LEVEL: 'INFO' }, /^LOG_LEVEL [^;]*$/],
  ])('names the bad variable alone: %j', (env, message) => {
    expect(() => loadClusterConfig(env)).toThrow(message);
  });
});
