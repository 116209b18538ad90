import { COOKIE_RULE, isCookie } from '../protocol/names.ts';
import { choice, path, type Setting, type Values } from './environment.ts';

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

export const TRUST_DIR = path(
  'TRUST_DIR',
  '/run/trust',
  'The folder with the public half of the root key, whose lists of keys are trusted: a folder for each cookie.',
);

/** The file that a healthy process touches. @param formerName see {@link Setting.formerName} */
export function healthFile(what: string, formerName?: string): Setting<string> {
  const description = `The file that a healthy ${what} touches. The container's health check reads its age.`;
  return path('HEALTH_FILE', '/run/hotcast/alive', description, formerName);
}

/** What every process of a cluster needs to know. */
export type ClusterConfig = Values<typeof CLUSTER_SETTINGS>;
