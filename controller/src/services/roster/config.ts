import { join } from 'node:path';

import { CLUSTER_SETTINGS, healthFile, PROJECT } from '../../../../shared/cluster-config.ts';
import { type Env, readSettings, type Setting, type Values, type Warn } from '../../../../shared/environment.ts';

export const ROSTER_SETTINGS = {
  ...CLUSTER_SETTINGS,
  project: PROJECT,
  healthFile: healthFile('roster'),
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
