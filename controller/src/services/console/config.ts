import { join } from 'node:path';

import { CLUSTER_SETTINGS, healthFile, TRUST_DIR } from '../../../../shared/cluster-config.ts';
import {
  type Env,
  integer,
  readSettings,
  type Setting,
  type Values,
  type Warn,
} from '../../../../shared/environment.ts';

export const CONSOLE_SETTINGS = {
  ...CLUSTER_SETTINGS,
  trustDir: TRUST_DIR,
  healthFile: healthFile('console'),
  port: integer(
    'CONSOLE_LISTEN_PORT',
    { default: 8090, min: 0, max: 65_535 },
    'The port that the console listens on, in its container.',
  ),
  hosts: {
    name: 'CONSOLE_HOSTS',
    default: 'localhost,127.0.0.1,[::1],console',
    description:
      'The host names under which the console is opened. It answers no request for another one, so that no page of the web can ' +
      'reach it through a name of its own.',
    rule: 'host names without ports, separated by commas',
    parse: text => {
      const hosts = text
        .split(',')
        .map(host => host.trim().toLowerCase())
        .filter(host => host !== '');
      return hosts.length > 0 && hosts.every(host => /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])$/.test(host))
        ? hosts
        : undefined;
    },
  } satisfies Setting<readonly string[]>,
};

export type ConsoleConfig = Values<typeof CONSOLE_SETTINGS>;

/** Reads the settings of the console. @throws UsageError see {@link readSettings} */
export function loadConfig(env: Env, warn: Warn): ConsoleConfig {
  const config = readSettings(env, CONSOLE_SETTINGS, warn);
  const { keysDir, trustDir, cookie } = config;
  return { ...config, keysDir: join(keysDir, cookie), trustDir: join(trustDir, cookie) };
}
