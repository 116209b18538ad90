import { CLUSTER_SETTINGS, healthFile, PROJECT } from '../../../../shared/cluster-config.ts';
import { choice, type Env, readSettings, type Values, type Warn } from '../../../../shared/environment.ts';

export const AUTH_CALLOUT_SETTINGS = {
  ...CLUSTER_SETTINGS,
  project: PROJECT,
  healthFile: healthFile('auth callout'),
  nodeNames: choice(
    'NODE_NAMES',
    { values: ['dns', 'roster'], default: 'dns' },
    "What says which node has an address: Docker's DNS, which knows the containers of one machine, or the roster, which knows those of " +
      'all machines of a swarm.',
  ),
};

export type AuthCalloutConfig = Values<typeof AUTH_CALLOUT_SETTINGS>;

/** Reads the settings of the auth callout. It serves every cookie of its NATS server, so its keys are not in the folder of one. */
export function loadConfig(env: Env, warn: Warn): AuthCalloutConfig {
  return readSettings(env, AUTH_CALLOUT_SETTINGS, warn);
}
