import { join } from 'node:path';

import { CLUSTER_SETTINGS } from '../../../../shared/cluster-config.ts';
import { type Env, path, readSettings, type Setting, type Values, type Warn } from '../../../../shared/settings.ts';

export const ROSTER_SETTINGS = {
  ...CLUSTER_SETTINGS,
  healthFile: path(
    'HEALTH_FILE',
    '/run/hotcast/alive',
    "The file that a healthy roster touches. The container's health check reads its age.",
  ),
  labels: {
    name: 'NODE_LABELS',
    default: '',
    description: 'The labels of the node containers. A container is a node of the cluster when it has all of them.',
    rule: 'one label or more, key=value, separated by commas',
    parse: text => {
      const labels = text.split(',').filter(label => label !== '');
      return labels.length === 0 ? undefined : labels;
    },
  } satisfies Setting<readonly string[]>,
};

export type RosterConfig = Values<typeof ROSTER_SETTINGS>;

/** Reads the settings of the roster. @throws UsageError see {@link readSettings} */
export function loadConfig(env: Env, warn: Warn): RosterConfig {
  const config = readSettings(env, ROSTER_SETTINGS, warn);
  return { ...config, keysDir: join(config.keysDir, config.cookie) };
}
