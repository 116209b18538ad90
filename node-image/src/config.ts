import { join } from 'node:path';

import { CLUSTER_SETTINGS, healthFile, PROJECT, REPLICA_OFFSET, TRUST_DIR } from '../../shared/cluster-config.ts';
import { GROUP_RULE, isGroupName } from '../../protocol/names.ts';
import {
  type Env,
  integer,
  path,
  readSettings,
  type Setting,
  type Values,
  type Warn,
} from '../../shared/environment.ts';

export const NODE_SETTINGS = {
  ...CLUSTER_SETTINGS,
  project: PROJECT,
  replicaOffset: REPLICA_OFFSET,
  trustDir: TRUST_DIR,
  healthFile: healthFile('node', 'ALIVE_FILE'),
  stateDir: path(
    'STATE_DIR',
    '/var/lib/hotcast',
    'The folder for what nodes keep over a crash: the revisions that made them restart, and npm packages. ' +
      'In a container of Docker, each node has a folder of its own in it, whose name the others do not know; with `TASK_NAME`, and ' +
      'elsewhere, it belongs to one node.',
  ),
  externalDir: path(
    'EXTERNAL_DIR',
    '/external',
    'The folder whose `node_modules` has the external packages of modules. It belongs to the image.',
  ),
  group: {
    name: 'HOTCAST_GROUP',
    default: '',
    description:
      'The group that the node is meant to be in. A service has the name of its group; the service `node` is the first group. A node ' +
      'of another service does not start. Empty: no check.',
    rule: GROUP_RULE,
    parse: text => (text === '' || isGroupName(text) ? text : undefined),
  } satisfies Setting<string>,
  taskName: {
    name: 'TASK_NAME',
    default: '',
    description:
      "The name of the node's task in Docker Swarm, `{{.Task.Name}}`, from which the name of the node follows, as in the roster. Empty: " +
      "the name follows from that of the container in Docker's DNS.",
    rule: 'the name of a task: <service>.<replica>.<id>',
    parse: text => (text === '' || /^[\w-]+\.[1-9]\d{0,4}\.[a-z0-9]{20,}$/.test(text) ? text : undefined),
  } satisfies Setting<string>,
  httpPort: integer(
    'HTTP_PORT',
    { default: 8080, min: 0, max: 65_535 },
    'The port on which modules are served by HTTP; 0 for any free port.',
  ),
  metricsPort: integer(
    'METRICS_PORT',
    { default: 9465, min: 0, max: 65_535 },
    'The port on which the node has its metrics for Prometheus, at `/metrics`; 0 for none.',
  ),
  purgeTimeoutMs: integer(
    'PURGE_TIMEOUT_MS',
    { formerName: 'PURGE_MAY_TAKE', default: 3_000, min: 0, unit: 'milliseconds' },
    'How long a push waits when as many versions drain as can.',
  ),
  codeChangeTimeoutMs: integer(
    'CODE_CHANGE_TIMEOUT_MS',
    { default: 500, min: 0, unit: 'milliseconds' },
    'How long a codeChange waits for calls that run on its module. New calls wait meanwhile.',
  ),
  maxDrainingVersions: integer(
    'MAX_DRAINING_VERSIONS',
    { default: 8, min: 1 },
    'How many earlier versions of a module can drain, because something still runs on them. After that a push is refused.',
  ),
  maxDrainingMemoryPercent: integer(
    'MAX_DRAINING_MEMORY_PERCENT',
    { default: 70, min: 1, max: 100, unit: 'percent' },
    'The share of the memory limit (MEMORY_LIMIT_MB) above which a push is refused while versions drain. What counts is ' +
      'live memory: objects and buffers, without garbage.',
  ),
  stopTimeoutMs: integer(
    'STOP_TIMEOUT_MS',
    { default: 8_000, min: 0, unit: 'milliseconds' },
    'How long a node that is told to stop can take. Half of it is for calls in flight; `dispose` callbacks have the rest. It has ' +
      'to be shorter than the grace after which Docker kills the container (STOP_GRACE_PERIOD).',
  ),
  eventLoopTimeoutMs: integer(
    'EVENT_LOOP_TIMEOUT_MS',
    { formerName: 'LOOP_MAY_BLOCK', default: 5_000, min: 500, unit: 'milliseconds' },
    'How long a module can block the event loop. After that the node restarts without the revision.',
  ),
  memoryLimitMb: integer(
    'MEMORY_LIMIT_MB',
    { formerName: 'MEMORY_MAY_USE', default: 512, min: 100, unit: 'MB' },
    'The maximum live memory of a node: objects and buffers, without garbage. Above it the node restarts, without the ' +
      'revision that took the memory if there is evidence against one. The node lowers the limit to three quarters of ' +
      "the container's memory or of V8's heap limit.",
  ),
  logMaxCharsPerSecond: integer(
    'LOG_MAX_CHARS_PER_SECOND',
    { formerName: 'LOG_MAY_WRITE', default: 100_000, min: 0, unit: 'characters' },
    'How much each version of a module can log in a second. Further lines are dropped and counted.',
  ),
};

export type NodeConfig = Values<typeof NODE_SETTINGS>;

/** Reads the settings of a node. The folders are those of the cookie. @throws UsageError see {@link readSettings} */
export function loadConfig(env: Env, warn: Warn): NodeConfig {
  const config = readSettings(env, NODE_SETTINGS, warn);
  const { cookie, keysDir, trustDir } = config;
  return { ...config, keysDir: join(keysDir, cookie), trustDir: join(trustDir, cookie) };
}
