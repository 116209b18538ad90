import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../../node-image/src/config.ts';
import { UsageError } from '../../../protocol/errors.ts';

describe('loadConfig of the node', () => {
  it('has a default for everything', () => {
    expect(loadConfig({})).toEqual({
      cookie: 'dino',
      natsUrl: 'nats://nats:4222',
      keysDir: '/run/keys/dino',
      trustDir: '/run/trust/dino',
      logLevel: 'info',
      healthFile: '/run/hotcast/alive',
      purgeTimeoutMs: 3_000,
      maxBlockMs: 5_000,
      maxMemoryMb: 512,
      bansFile: '/var/lib/hotcast/bans.json',
      logCharsPerSecond: 100_000,
      httpPort: 8080,
    });
  });

  it('reads what is set', () => {
    const env = { ALIVE_FILE: '/tmp/alive', PURGE_MAY_TAKE: '0', LOG_MAY_WRITE: '1e6', HTTP_PORT: '0' };
    expect(loadConfig(env)).toMatchObject({
      healthFile: '/tmp/alive',
      purgeTimeoutMs: 0,
      logCharsPerSecond: 1_000_000,
      httpPort: 0,
    });
  });

  it.each(['soon', '-1', 'Infinity'])('refuses to wait %s for calls on an old version', PURGE_MAY_TAKE => {
    expect(() => loadConfig({ PURGE_MAY_TAKE })).toThrow('PURGE_MAY_TAKE must be a number of milliseconds');
  });

  it('names every bad limit at once', () => {
    expect(() => loadConfig({ LOOP_MAY_BLOCK: '10', MEMORY_MAY_USE: 'all', COOKIE: 'a b' })).toThrow(
      /COOKIE .*LOOP_MAY_BLOCK must be a number of milliseconds, at least 500; MEMORY_MAY_USE must be a number of megabytes, at least 100$/,
    );
  });

  it.each(['web', '-1', '8080.5', '65536'])('refuses to serve on port %s', HTTP_PORT => {
    expect(() => loadConfig({ HTTP_PORT })).toThrow('HTTP_PORT must be a port, 0 to 65535');
  });

  it("checks the cluster's variables", () => {
    expect(() => loadConfig({ NATS_URL: 'nats' })).toThrow(UsageError);
  });
});
