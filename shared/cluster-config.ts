import { COOKIE_RULE, isCookie, isMachineName, MACHINE_RULE } from '../protocol/names.ts';
import { choice, integer, path, type Setting, type Values } from './environment.ts';

/** The names of the log levels, in the order of their importance. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** The settings that every process of a cluster has. */
export const CLUSTER_SETTINGS = {
  cookie: {
    name: 'COOKIE',
    default: 'dino',
    description: "The cluster's name and address. Every NATS subject carries it.",
    rule: COOKIE_RULE,
    parse: text => (isCookie(text) ? text : undefined),
  } satisfies Setting<string>,
  natsUrl: {
    name: 'NATS_URL',
    default: 'nats://nats:4222',
    description: 'The address of NATS, or those of its servers, separated by commas.',
    rule: 'nats://host:port or tls://host:port, or several of them, separated by commas',
    parse: text => (text.split(',').every(url => /^(nats|tls):\/\/[^\s/,]+$/.test(url)) ? text : undefined),
  } satisfies Setting<string>,
  keysDir: path('KEYS_DIR', '/run/keys', "The folder with the process's own keys: a folder for each cookie."),
  logLevel: choice('LOG_LEVEL', { values: LOG_LEVELS, default: 'info' }, 'The lowest level that is logged.'),
};

/** See {@link nodeNameOf}: every process that names nodes has it. */
export const PROJECT: Setting<string> = {
  name: 'HOTCAST_PROJECT',
  default: '',
  description:
    'The name of the Compose project, with which the names of its containers begin. The name of a node follows from that of its ' +
    'container. Empty: the number at the end of it is all that counts, whatever the service.',
  rule: 'the name of a Compose project',
  parse: text => (/^(?:[a-z0-9][a-z0-9_-]*)?$/.test(text) ? text : undefined),
};

/** Several machines without a swarm have one as the hub, with the controller and the stream. */
export const MACHINE: Setting<string> = {
  name: 'MACHINE',
  default: 'hub',
  description: 'The name of this machine, where each has an engine of its own. Its NATS server has the same name.',
  rule: MACHINE_RULE,
  parse: text => (isMachineName(text) ? text : undefined),
};

export const MACHINES: Setting<readonly string[]> = {
  name: 'MACHINES',
  default: '',
  description:
    'On the hub: the names of the other machines, separated by commas. Each has an agent, which knows its containers. Of two containers ' +
    'with the same name, the member is on the hub, or else on the machine that is named first.',
  rule: `names of machines, separated by commas, each ${MACHINE_RULE}`,
  parse: text => {
    const names = text.split(',').filter(name => name !== '');
    return names.every(isMachineName) && new Set(names).size === names.length ? names : undefined;
  },
};

/** See {@link nodeNameOf}: the nodes of a machine have it, and what says which containers it has. */
export const REPLICA_OFFSET = integer(
  'REPLICA_OFFSET',
  { default: 0, min: 0, max: 90_000 },
  'Is added to the number of each replica of this machine, so that nodes of several machines have different names: with 100, the ' +
    'first one is `node-101`.',
);

export const TRUST_DIR = path(
  'TRUST_DIR',
  '/run/trust',
  'The folder with the public half of the root key, whose lists of keys are trusted: a folder for each cookie.',
);

/** The file that a healthy process touches. @param formerName see {@link Setting.formerName} */
export function healthFile(what: string, formerName?: string): Setting<string> {
  const description = `The file that a healthy ${what} touches. A health check of the container reads its age.`;
  return path('HEALTH_FILE', '/run/hotcast/alive', description, formerName);
}

/** What every process of a cluster needs to know. */
export type ClusterConfig = Values<typeof CLUSTER_SETTINGS>;
