import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../../node-image/src/config.ts';
import { UsageError } from '../../../protocol/errors.ts';

describe('loadConfig of the node', () => {
  it('has a default for everything', () => {
    expect(loadConfig({})).toEqual({
      cookie: 'dino',
      natsUrl: 'nats://nats:4222',
      logLevel: 'info',
      aliveFile: '/run/hotcast/alive',
    });
  });

  it('reads what is set', () => {
    expect(loadConfig({ ALIVE_FILE: '/tmp/alive' }).aliveFile).toBe('/tmp/alive');
  });

  it("checks the cluster's variables", () => {
    expect(() => loadConfig({ NATS_URL: 'nats' })).toThrow(UsageError);
  });
});
