import { createHash } from 'node:crypto';

import { parse } from 'yaml';

import { PACKAGE_VERSION } from '../../shared/package-version.ts';

type Values = { readonly [key: string]: unknown };

/** What of a service of Compose a service of Swarm has too. The rest is translated, or Swarm does not know it. */
const KEPT = [
  'command',
  'entrypoint',
  'user',
  'environment',
  'env_file',
  'labels',
  'init',
  'read_only',
  'cap_drop',
  'networks',
  'logging',
  'stop_signal',
  'stop_grace_period',
  'healthcheck',
];

/** The name of the stack, as Swarm tells it to a task. */
const STACK = '{{index .Service.Labels "com.docker.stack.namespace"}}';

const asValues = (value: unknown): Values => (typeof value === 'object' && value !== null ? (value as Values) : {});
const asText = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

/**
 * The stack of Docker Swarm that is made of a file of Compose and of what Swarm has in its place.
 *
 * @param compose the text of docker-compose.yml. Only the services that `swarm` has are in the stack.
 * @param swarm the text of swarm.yml: its keys have precedence, and `null` removes one.
 * @param read reads a file that a config names. Its name has a hash of the content: Swarm does not change a config.
 */
export function stackOf(compose: string, swarm: string, read: (path: string) => string): Values {
  const base = asValues(parse(compose, { merge: true }));
  const own = asValues(parse(swarm, { merge: true }));
  const services = Object.entries(asValues(own['services'])).map(([name, changes]) => {
    const service = asValues(base['services'])[name];
    if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
    return [name, withMemoryFolders(merged(translated(asValues(service)), asValues(changes)))] as const;
  });
  const configs = Object.entries(asValues(own['configs'])).map(([name, config]) => {
    const file = asText(asValues(config)['file']);
    return [name, { name: `\${HOTCAST_PROJECT:-hotcast}_${name}-${hashOf(read(file))}`, file }] as const;
  });
  return {
    services: Object.fromEntries(services),
    networks: own['networks'],
    volumes: own['volumes'],
    configs: Object.fromEntries(configs),
  };
}

/** A service of Compose in the words of Swarm. */
function translated(service: Values): Values {
  const kept = Object.fromEntries(KEPT.flatMap(key => (key in service ? [[key, service[key]]] : [])));
  // Swarm has TLS always.
  const { NATS_TLS: _tls, ...environment } = asValues(kept['environment']);
  const tmpfs = Array.isArray(service['tmpfs']) ? service['tmpfs'].map(asText) : [];
  return {
    image: imageOf(service),
    ...kept,
    environment: { ...environment, ...('HOTCAST_PROJECT' in environment ? { HOTCAST_PROJECT: STACK } : {}) },
    tmpfs: tmpfs.map(memoryFolder),
    deploy: {
      endpoint_mode: 'dnsrr',
      restart_policy: { condition: 'any', delay: '1s' },
      resources: { limits: { memory: service['mem_limit'], pids: numberIn(service['pids_limit']) } },
    },
  };
}

/** The default of a variable: Swarm takes none for a number. */
const numberIn = (value: unknown): number => Number(/\d+/.exec(asText(value))?.[0]);

/** The image under which a release is published; what is not built has its own. */
function imageOf(service: Values): string {
  if (service['build'] === undefined) return asText(service['image']);
  const target = asText(asValues(service['build'])['target']) || 'node';
  return `\${HOTCAST_IMAGES:-hotcast}/${target}:\${HOTCAST_VERSION:-${PACKAGE_VERSION}}`;
}

/** A folder in memory, which everyone in the container can write to: Swarm knows no owner of one. */
function memoryFolder(text: string): Values {
  const [target = '', options = ''] = text.split(':');
  const megabytes = /size=(\d+)m/.exec(options)?.[1] ?? '';
  return { type: 'tmpfs', target, tmpfs: { size: Number(megabytes) * 2 ** 20 } };
}

/** A service of a stack has its folders in memory among its volumes. */
function withMemoryFolders({ tmpfs, volumes = [], ...service }: Values): Values {
  const all = [volumes, tmpfs].flat();
  return all.length === 0 ? service : { ...service, volumes: all };
}

/** What `changes` has is in place of what `base` has. Objects are merged, and lists are not. */
function merged(base: Values, changes: Values): Values {
  const all = new Map(Object.entries(base));
  for (const [key, change] of Object.entries(changes)) {
    if (change === null) all.delete(key);
    else all.set(key, isPlain(change) ? merged(asValues(all.get(key)), change) : change);
  }
  return Object.fromEntries(all);
}

function isPlain(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
