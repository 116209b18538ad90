import { join } from 'node:path';

import { UsageError } from '../../../protocol/errors.ts';
import { CLUSTER_SETTINGS, healthFile, TRUST_DIR } from '../../../shared/cluster-config.ts';
import {
  type Env,
  integer,
  path,
  readSettings,
  type Setting,
  type Values,
  type Warn,
} from '../../../shared/environment.ts';
import type { PreflightLimits } from '../build/preflight/protocol.ts';
import type { Collector } from './tracing/otlp.ts';
import type { Endpoint } from './webhook/post.ts';

/** Null for an empty text. `fetch` takes no URL with a user, and would show its password in an error. */
function urlOf(text: string): URL | null | undefined {
  if (text === '') return null;
  const url = URL.parse(text);
  const hasUser = url !== null && (url.username !== '' || url.password !== '');
  return url !== null && !hasUser && ['http:', 'https:'].includes(url.protocol) ? url : undefined;
}

/** Null for an empty text. */
function webhookSecretOf(text: string): Uint8Array | null | undefined {
  if (text === '') return null;
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const bytes = base64 === undefined ? null : Buffer.from(base64, 'base64');
  return bytes !== null && bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}

/** Reads `name=value,name=value`, with percent-encoding. */
function headersOf(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = text === '' ? [] : text.split(',').map(pair => /^\s*([\w-]+)\s*=(.*)$/.exec(pair));
  if (pairs.includes(null)) return undefined;
  try {
    return Object.fromEntries(pairs.map(pair => [pair?.[1] ?? '', decodeURIComponent(pair?.[2]?.trim() ?? '')]));
  } catch {
    return undefined;
  }
}

export const CONTROLLER_SETTINGS = {
  ...CLUSTER_SETTINGS,
  trustDir: TRUST_DIR,
  socketPath: path(
    'CONTROLLER_SOCKET',
    '/run/hotcast/controller.sock',
    'The Unix socket on which the controller serves the command line.',
  ),
  healthFile: healthFile('controller'),
  projectDir: path(
    'PROJECT_DIR',
    '/work/project',
    'The folder of the project: modules can import all that is in it. If there is none, the modules folder is `/work/modules`.',
  ),
  modulesDir: path(
    'MODULES_DIR',
    '',
    'The folder with the modules, a TypeScript file or a folder for each, without a project. Empty: that of the project, `modules` if ' +
      '`hotcast.config.ts` does not name another.',
  ),
  preflightTimeoutMs: integer(
    'PREFLIGHT_TIMEOUT_MS',
    { formerName: 'PREFLIGHT_MAY_TAKE', default: 2_000, min: 50, max: 60_000, unit: 'milliseconds' },
    'How long a module can take to load in the preflight.',
  ),
  preflightMemoryMb: integer(
    'PREFLIGHT_MEMORY_MB',
    { formerName: 'PREFLIGHT_MEMORY', default: 256, min: 16, max: 65_536, unit: 'MB' },
    'How much memory a module can take to load in the preflight.',
  ),
  moduleMaxMb: integer(
    'MODULE_MAX_MB',
    { default: 2, min: 1, max: 64, unit: 'MB' },
    'How much code a module can have, without its packages. More takes the controller long, and much memory.',
  ),
  packagesTimeoutMs: integer(
    'PACKAGES_TIMEOUT_MS',
    { default: 120_000, min: 1_000, max: 3_600_000, unit: 'milliseconds' },
    'How long a push waits for a node that fetches and loads the npm packages of a module.',
  ),
  auditFile: path(
    'AUDIT_FILE',
    '',
    'A file to which each entry of the audit is appended, as a line of JSON. Empty: none. It can be rotated at any time.',
  ),
  webhookUrl: {
    name: 'WEBHOOK_URL',
    default: '',
    description:
      'Where each [event](events.md#webhooks) is sent, with `WEBHOOK_SECRET`. Empty: nowhere. Only its host is logged.',
    rule: 'an http:// or https:// URL without a user',
    parse: urlOf,
  },
  webhookSecret: {
    name: 'WEBHOOK_SECRET',
    default: '',
    description: 'The key with which events are signed. Make one: `echo whsec_$(openssl rand -base64 24)`',
    rule: '`whsec_` and 24 to 64 bytes in base64',
    parse: webhookSecretOf,
  },
  otlpEndpoint: {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    default: '',
    description:
      'Where [traces](metrics.md#traces) of pushes and calls are sent, by OTLP over HTTP: `http://collector:4318`. Empty: nowhere.',
    rule: 'an http:// or https:// URL without a user',
    parse: urlOf,
  },
  otlpHeaders: {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    default: '',
    description: 'Headers for that, for example with a key.',
    rule: '`name=value`, separated by commas',
    parse: headersOf,
  },
  streamMaxMb: integer(
    'STREAM_MAX_MB',
    { formerName: 'STREAM_MAY_HOLD', default: 1_024, min: 16, max: 65_536, unit: 'MB' },
    "The maximum size of the cookie's stream. A push that does not fit is refused.",
  ),
  streamReplicas: {
    name: 'STREAM_REPLICAS',
    default: '1',
    description:
      'On how many servers of NATS the streams are. It needs so many servers. A stream that is there is raised in place; it is never lowered.',
    rule: '1, 3 or 5',
    parse: text => [1, 3, 5].find(number => String(number) === text),
  } satisfies Setting<number>,
};

type Settings = Values<typeof CONTROLLER_SETTINGS>;

export interface ControllerConfig extends Omit<
  Settings,
  | 'preflightTimeoutMs'
  | 'preflightMemoryMb'
  | 'moduleMaxMb'
  | 'streamMaxMb'
  | 'webhookUrl'
  | 'webhookSecret'
  | 'otlpEndpoint'
  | 'otlpHeaders'
> {
  readonly preflight: PreflightLimits;
  readonly moduleMaxBytes: number;
  readonly streamMaxBytes: number;
  /** Where events are sent; null: nowhere. */
  readonly webhook: Endpoint | null;
  /** Where traces are sent; null: nowhere. */
  readonly collector: Collector | null;
}

/** Reads the settings of the controller. The folders are those of the cookie. @throws UsageError see {@link readSettings} */
export function loadConfig(env: Env, warn: Warn): ControllerConfig {
  const settings = readSettings(env, CONTROLLER_SETTINGS, warn);
  const { preflightTimeoutMs: timeoutMs, preflightMemoryMb: memoryMb, moduleMaxMb, streamMaxMb, ...others } = settings;
  const { webhookUrl: url, webhookSecret: secret, otlpEndpoint: endpoint, otlpHeaders: headers, ...config } = others;
  if (url !== null && secret === null) throw new UsageError('WEBHOOK_URL needs a WEBHOOK_SECRET');
  return {
    ...config,
    keysDir: join(config.keysDir, config.cookie),
    trustDir: join(config.trustDir, config.cookie),
    preflight: { timeoutMs, memoryMb },
    moduleMaxBytes: moduleMaxMb * 2 ** 20,
    streamMaxBytes: streamMaxMb * 2 ** 20,
    webhook: url === null || secret === null ? null : { url, secret },
    collector: endpoint === null ? null : { endpoint, headers },
  };
}
