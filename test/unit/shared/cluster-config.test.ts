import { describe, expect, it } from 'vitest';

import { CLUSTER_SETTINGS, type ClusterConfig } from '../../../shared/cluster-config.ts';
import { type Env, readSettings } from '../../../shared/environment.ts';

const read = (env: Env): ClusterConfig => readSettings(env, CLUSTER_SETTINGS, () => undefined);

describe("the cluster's settings", () => {
  const defaults = { cookie: 'dino', natsUrl: 'nats://nats:4222', keysDir: '/run/keys', logLevel: 'info' };

  it('have a default for everything', () => {
    expect(read({})).toEqual(defaults);
  });

  it('are read from the environment', () => {
    const env = { COOKIE: 'rex', NATS_URL: 'tls://10.0.0.1:4333', LOG_LEVEL: 'debug', KEYS_DIR: '/keys' };
    expect(read(env)).toEqual({
      cookie: 'rex',
      natsUrl: 'tls://10.0.0.1:4333',
      keysDir: '/keys',
      logLevel: 'debug',
    });
  });

  it('have one address of NATS, or several', () => {
    const natsUrl = 'nats://nats-1:4222,nats://nats-2:4222,tls://nats-3:4222';
    expect(read({ NATS_URL: natsUrl }).natsUrl).toBe(natsUrl);
  });

  it('have a folder of keys that belongs to no cookie, as the auth callout needs it', () => {
    expect(read({ COOKIE: 'rex' }).keysDir).toBe('/run/keys');
  });

  it('are refused with all bad variables in one line', () => {
    expect(() => read({ COOKIE: 'a.b', NATS_URL: 'http://x', LOG_LEVEL: 'loud' })).toThrow(
      /^COOKIE must be [^\n]*; NATS_URL must be [^\n]*; LOG_LEVEL must be [^\n]*$/,
    );
  });

  it.each([
    [{ COOKIE: '*' }, /^COOKIE [^;]*$/],
    [{ NATS_URL: 'nats://' }, /^NATS_URL [^;]*$/],
    [{ NATS_URL: 'nats://a:4222,' }, /^NATS_URL [^;]*$/],
    [{ NATS_URL: 'nats://a:4222, nats://b:4222' }, /^NATS_URL [^;]*$/],
    [{ LOG_LEVEL: 'INFO' }, /^LOG_LEVEL [^;]*$/],
  ])('are refused with the name of the bad variable: %j', (env, message) => {
    expect(() => read(env)).toThrow(message);
  });
});
