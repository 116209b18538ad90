import { join } from 'node:path';

import { UsageError } from '../../../../protocol/errors.ts';
import {
  CLUSTER_SETTINGS,
  healthFile,
  MACHINE,
  MACHINES,
  PROJECT,
  REPLICA_OFFSET,
} from '../../../../shared/cluster-config.ts';
import { isNodeName, replicaName } from '../../../../protocol/names.ts';
import {
  choice,
  type Env,
  readSettings,
  type Setting,
  type Values,
  type Warn,
} from '../../../../shared/environment.ts';

const EXPECTED: Setting<readonly string[]> = {
  name: 'EXPECTED_NODES',
  default: '',
  description:
    'For the roster `static`: the nodes that should answer. A number of replicas of the service `node`, or names that are separated by ' +
    'commas.',
  rule: 'a number, or names of nodes, separated by commas',
  parse: expectedNodes,
};

const LABELS: Setting<readonly string[]> = {
  name: 'NODE_LABELS',
  default: '',
  description:
    'The labels of the node containers, or of the services of a swarm. A container is a node of the cluster when it has all of them.',
  rule: 'one label or more, key=value, separated by commas',
  parse: text => {
    const labels = text.split(',').filter(label => label !== '');
    return labels.length === 0 ? undefined : labels;
  },
};

export const ROSTER_SETTINGS = {
  ...CLUSTER_SETTINGS,
  project: PROJECT,
  healthFile: healthFile('roster'),
  provider: choice(
    'ROSTER',
    { values: ['compose', 'swarm', 'agents', 'static', 'agent'], default: 'compose' },
    'What knows which nodes should answer: the Docker engine of this machine, a manager of a swarm, the agents of the machines in ' +
      '`MACHINES` besides the engine of this one, or `EXPECTED_NODES`. With `agent`, this process is the agent of its machine.',
  ),
  expected: EXPECTED,
  labels: LABELS,
  machine: MACHINE,
  machines: MACHINES,
  replicaOffset: REPLICA_OFFSET,
};

export type RosterConfig = Values<typeof ROSTER_SETTINGS>;

/** The names of a number of replicas, or those that are given. */
function expectedNodes(text: string): readonly string[] | undefined {
  if (!/^\d{1,5}$/.test(text)) return text.split(',').every(isNodeName) ? text.split(',') : undefined;
  return Array.from({ length: Number(text) }, (_, index) => replicaName(index + 1));
}

/** The same setting, which can be left out. */
function optional(setting: Setting<readonly string[]>): Setting<readonly string[]> {
  return { ...setting, parse: text => (text === '' ? [] : setting.parse(text)) };
}

/** Reads the settings of the roster. @throws UsageError see {@link readSettings} */
export function loadConfig(env: Env, warn: Warn): RosterConfig {
  // Each provider needs its own.
  const needed = env['ROSTER'] === 'static' ? { labels: optional(LABELS) } : { expected: optional(EXPECTED) };
  const config = readSettings(env, { ...ROSTER_SETTINGS, ...needed }, warn);
  if (config.machines.includes(config.machine))
    throw new UsageError(`MACHINES must be the names of the other machines, without ${config.machine}`);
  return { ...config, keysDir: join(config.keysDir, config.cookie) };
}
