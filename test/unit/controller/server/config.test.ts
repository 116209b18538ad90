import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../../../controller/src/server/config.ts';
import { loadConfig as loadRosterConfig } from '../../../../controller/src/services/roster/config.ts';
import { UsageError } from '../../../../protocol/errors.ts';

describe('loadConfig of the controller', () => {
  it('has a default for everything', () => {
    expect(loadConfig({})).toEqual({
      cookie: 'dino',
      natsUrl: 'nats://nats:4222',
      logLevel: 'info',
      socketPath: '/run/hotcast/controller.sock',
      modulesDir: '/work/modules',
      preflight: { timeoutMs: 2_000, memory: 256 },
      keysDir: '/run/keys/dino',
      trustDir: '/run/trust/dino',
      streamMayHold: 1024 * 2 ** 20,
    });
  });

  it('reads what is set', () => {
    const env = { CONTROLLER_SOCKET: '/tmp/c.sock', MODULES_DIR: '/tmp/modules' };
    expect(loadConfig(env)).toMatchObject({ socketPath: '/tmp/c.sock', modulesDir: '/tmp/modules' });
  });

  it('names the limits that are none, beside what else is wrong, in one line', () => {
    const env = { COOKIE: '*', PREFLIGHT_MAY_TAKE: 'soon', PREFLIGHT_MEMORY: '1', STREAM_MAY_HOLD: '1' };
    expect(() => loadConfig(env)).toThrow(
      /^COOKIE [^\n]*; PREFLIGHT_MAY_TAKE [^\n]*; PREFLIGHT_MEMORY [^\n]*; STREAM_MAY_HOLD [^\n]*$/,
    );
  });

  it("checks the cluster's variables", () => {
    expect(() => loadConfig({ COOKIE: 'a b' })).toThrow(UsageError);
  });
});

describe('loadConfig of the roster', () => {
  it('reads the labels of the node containers', () => {
    expect(loadRosterConfig({ NODE_LABELS: 'a=1,b=2,' }).labels).toEqual(['a=1', 'b=2']);
  });

  it.each([{}, { NODE_LABELS: '' }, { NODE_LABELS: ',' }])('refuses to list every container: %j', env => {
    expect(() => loadRosterConfig(env)).toThrow(/^NODE_LABELS must name/);
  });

  it('names all bad variables at once, in one line', () => {
    expect(() => loadRosterConfig({ COOKIE: '*', LOG_LEVEL: 'loud' })).toThrow(
      /^COOKIE [^\n]*; LOG_LEVEL [^\n]*; NODE_LABELS [^\n]*$/,
    );
  });
});
