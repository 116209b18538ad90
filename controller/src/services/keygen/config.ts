import { CLUSTER_SETTINGS, MACHINE, MACHINES } from '../../../../shared/cluster-config.ts';
import {
  flag,
  path,
  readSettings,
  type Env,
  type Setting,
  type Values,
  type Warn,
} from '../../../../shared/environment.ts';
import { UsageError } from '../../../../protocol/errors.ts';
import { COOKIE_RULE, isCookie } from '../../../../protocol/names.ts';

export const KEYGEN_SETTINGS = {
  cookie: CLUSTER_SETTINGS.cookie,
  cookies: {
    name: 'COOKIES',
    default: '',
    description: 'All cookies that share the NATS server, `COOKIE` among them. Default: `COOKIE` alone.',
    rule: `cookies, each ${COOKIE_RULE}, separated by commas or spaces`,
    parse: text => (words(text).every(isCookie) ? words(text) : undefined),
  } satisfies Setting<readonly string[]>,
  volumes: path('VOLUMES', '/volumes', 'The folder that has a folder for each process that holds keys.'),
  tls: flag('NATS_TLS', 'Whether all processes connect to NATS by TLS.'),
  hosts: {
    name: 'NATS_HOSTS',
    default: 'nats',
    description: 'The host names and IP addresses of NATS, for its certificate.',
    rule: 'host names or IP addresses, separated by commas or spaces',
    parse: words,
  } satisfies Setting<readonly string[]>,
  machine: MACHINE,
  machines: MACHINES,
  machineKeys: path(
    'MACHINE_KEYS',
    '',
    'On a machine that is not the hub: the file that the hub has made for it. All keys come from it, and none is made.',
  ),
  hub: {
    name: 'HUB_URL',
    default: '',
    description: 'With `MACHINE_KEYS`: where NATS of the hub takes the servers of other machines.',
    rule: 'tls://host:port',
    parse: text => (text === '' || /^tls:\/\/[^\s/,]+:\d+$/.test(text) ? text : undefined),
  } satisfies Setting<string>,
  logLevel: CLUSTER_SETTINGS.logLevel,
};

export type KeygenConfig = Values<typeof KEYGEN_SETTINGS>;

/** Reads the settings of the key generator; `cookies` is never empty. @throws UsageError see {@link readSettings} */
export function loadConfig(env: Env, warn: Warn): KeygenConfig {
  const config = readSettings(env, KEYGEN_SETTINGS, warn);
  if (config.machineKeys !== '' && config.hub === '')
    throw new UsageError('HUB_URL must be set with MACHINE_KEYS: tls://host:port');
  return config.cookies.length === 0 ? { ...config, cookies: [config.cookie] } : config;
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter(word => word !== '');
}
