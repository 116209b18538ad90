import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../../../controller/src/server/config.ts';
import { UsageError } from '../../../../protocol/errors.ts';

const ignore = (): void => undefined;

describe('loadConfig of the controller', () => {
  it('has a default for everything', () => {
    expect(loadConfig({}, ignore)).toEqual({
      cookie: 'dino',
      natsUrl: 'nats://nats:4222',
      logLevel: 'info',
      socketPath: '/run/hotcast/controller.sock',
      healthFile: '/run/hotcast/alive',
      projectDir: '/work/project',
      modulesDir: '',
      preflight: { timeoutMs: 2_000, memoryMb: 256 },
      packagesTimeoutMs: 120_000,
      auditFile: '',
      keysDir: '/run/keys/dino',
      trustDir: '/run/trust/dino',
      moduleMaxBytes: 2 * 2 ** 20,
      streamMaxBytes: 1024 * 2 ** 20,
      streamReplicas: 1,
      webhook: null,
      collector: null,
    });
  });

  it('reads the environment', () => {
    const env = { CONTROLLER_SOCKET: '/tmp/c.sock', MODULES_DIR: '/tmp/modules' };
    expect(loadConfig(env, ignore)).toMatchObject({ socketPath: '/tmp/c.sock', modulesDir: '/tmp/modules' });
  });

  it('reads every former name, and warns with the new one', () => {
    const warnings: string[] = [];
    const env = { PREFLIGHT_MAY_TAKE: '50', PREFLIGHT_MEMORY: '16', STREAM_MAY_HOLD: '17' };
    const config = loadConfig(env, warning => warnings.push(warning));
    expect(config).toMatchObject({ preflight: { timeoutMs: 50, memoryMb: 16 }, streamMaxBytes: 17 * 2 ** 20 });
    expect(warnings.map(warning => /set (\S+) instead/.exec(warning)?.[1])).toEqual([
      'PREFLIGHT_TIMEOUT_MS',
      'PREFLIGHT_MEMORY_MB',
      'STREAM_MAX_MB',
    ]);
  });

  it('names every bad limit in one line, with all other bad variables', () => {
    const env = { COOKIE: '*', PREFLIGHT_TIMEOUT_MS: 'soon', PREFLIGHT_MEMORY_MB: '1', STREAM_MAX_MB: '1' };
    expect(() => loadConfig(env, ignore)).toThrow(
      /^COOKIE [^\n]*; PREFLIGHT_TIMEOUT_MS [^\n]*; PREFLIGHT_MEMORY_MB [^\n]*; STREAM_MAX_MB [^\n]*$/,
    );
  });

  it('takes an odd number of replicas', () => {
    expect(loadConfig({ STREAM_REPLICAS: '3' }, ignore).streamReplicas).toBe(3);
    for (const STREAM_REPLICAS of ['0', '2', '4', 'many']) {
      expect(() => loadConfig({ STREAM_REPLICAS }, ignore)).toThrow('STREAM_REPLICAS must be 1, 3 or 5');
    }
  });

  it('reads where events are sent, with the key of their signatures, which it needs', () => {
    const [WEBHOOK_URL, WEBHOOK_SECRET] = [
      'https://ops.example/hook',
      `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
    ];
    const { webhook } = loadConfig({ WEBHOOK_URL, WEBHOOK_SECRET }, ignore);
    expect(webhook).toEqual({ url: new URL(WEBHOOK_URL), secret: Buffer.alloc(24, 7) });
    expect(() => loadConfig({ WEBHOOK_URL }, ignore)).toThrow('WEBHOOK_URL needs a WEBHOOK_SECRET');
    for (const bad of ['ops.example', 'file:///etc/passwd', 'https://wilma:secret@ops.example'])
      expect(() => loadConfig({ WEBHOOK_URL: bad, WEBHOOK_SECRET }, ignore)).toThrow(/^WEBHOOK_URL must be an http/);
    for (const bad of ['whsec_c2hvcnQ=', 'secret', `whsec_${'*'.repeat(32)}`])
      expect(() => loadConfig({ WEBHOOK_URL, WEBHOOK_SECRET: bad }, ignore)).toThrow(/^WEBHOOK_SECRET must be/);
  });

  it('reads where traces are sent', () => {
    const endpoint = 'http://collector:4318';
    const read = (headers: string) =>
      loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers }, ignore).collector;
    expect(read('')).toEqual({ endpoint: new URL(endpoint), headers: {} });
    expect(read('x-key=a%20b=, tenant = dino')?.headers).toEqual({ 'x-key': 'a b=', tenant: 'dino' });
    for (const bad of ['key', 'a=b,', 'a=%zz']) expect(() => read(bad)).toThrow(/^OTEL_EXPORTER_OTLP_HEADERS must be/);
  });

  it("checks the cluster's variables", () => {
    expect(() => loadConfig({ COOKIE: 'a b' }, ignore)).toThrow(UsageError);
  });
});
