import { describe, expect, it } from 'vitest';

import { loadConfig as load, type NodeConfig } from '../../../node-image/src/config.ts';
import { UsageError } from '../../../protocol/errors.ts';
import type { Env } from '../../../shared/environment.ts';

const loadConfig = (env: Env): NodeConfig => load(env, () => undefined);

describe('loadConfig of the node', () => {
  it('has a default for everything', () => {
    expect(loadConfig({})).toEqual({
      cookie: 'dino',
      natsUrl: 'nats://nats:4222',
      keysDir: '/run/keys/dino',
      trustDir: '/run/trust/dino',
      logLevel: 'info',
      healthFile: '/run/hotcast/alive',
      project: '',
      group: '',
      purgeTimeoutMs: 3_000,
      replicaOffset: 0,
      codeChangeTimeoutMs: 500,
      maxDrainingVersions: 8,
      maxDrainingMemoryPercent: 70,
      stopTimeoutMs: 8_000,
      eventLoopTimeoutMs: 5_000,
      memoryLimitMb: 512,
      stateDir: '/var/lib/hotcast',
      taskName: '',
      externalDir: '/external',
      logMaxCharsPerSecond: 100_000,
      httpPort: 8080,
      metricsPort: 9465,
    });
  });

  it('reads the environment', () => {
    const env = { HEALTH_FILE: '/tmp/alive', PURGE_TIMEOUT_MS: '0', LOG_MAX_CHARS_PER_SECOND: '1e6', HTTP_PORT: '0' };
    expect(loadConfig(env)).toMatchObject({
      healthFile: '/tmp/alive',
      purgeTimeoutMs: 0,
      logMaxCharsPerSecond: 1_000_000,
      httpPort: 0,
    });
  });

  it('reads every former name, and warns with the new one', () => {
    const warnings: string[] = [];
    const env = {
      ALIVE_FILE: '/x',
      PURGE_MAY_TAKE: '1',
      LOOP_MAY_BLOCK: '501',
      MEMORY_MAY_USE: '101',
      LOG_MAY_WRITE: '2',
    };
    expect(load(env, warning => warnings.push(warning))).toMatchObject({
      healthFile: '/x',
      purgeTimeoutMs: 1,
      eventLoopTimeoutMs: 501,
      memoryLimitMb: 101,
      logMaxCharsPerSecond: 2,
    });
    const names = [
      'HEALTH_FILE',
      'PURGE_TIMEOUT_MS',
      'EVENT_LOOP_TIMEOUT_MS',
      'MEMORY_LIMIT_MB',
      'LOG_MAX_CHARS_PER_SECOND',
    ];
    expect(warnings.map(warning => /set (\S+) instead/.exec(warning)?.[1])).toEqual(names);
  });

  it.each(['soon', '-1', 'Infinity'])('refuses %s as the timeout of a purge', PURGE_TIMEOUT_MS => {
    expect(() => loadConfig({ PURGE_TIMEOUT_MS })).toThrow('PURGE_TIMEOUT_MS must be a whole number of milliseconds');
  });

  it('names every bad limit at once', () => {
    expect(() => loadConfig({ EVENT_LOOP_TIMEOUT_MS: '10', MEMORY_LIMIT_MB: 'all', COOKIE: 'a b' })).toThrow(
      /COOKIE .*EVENT_LOOP_TIMEOUT_MS must be a whole number of milliseconds, at least 500; MEMORY_LIMIT_MB must be a whole number of MB, at least 100$/,
    );
  });

  it.each(['web', '-1', '8080.5', '65536'])('refuses to serve on port %s', HTTP_PORT => {
    expect(() => loadConfig({ HTTP_PORT })).toThrow('HTTP_PORT must be a whole number from 0 to 65535');
  });

  it("checks the cluster's variables", () => {
    expect(() => loadConfig({ NATS_URL: 'nats' })).toThrow(UsageError);
  });
});
