import { Wait } from 'testcontainers';

import type { Role } from '../../../../protocol/inboxes.ts';
import { configurationFile } from '../docker/configuration-file.ts';
import { HardenedContainer } from '../docker/hardened-container.ts';
import { configureProxy, PROXY_IMAGE } from '../docker/haproxy.ts';
import type { ClusterKeys } from './cluster-keys.ts';
import type { ModulesFolder } from './modules-folder.ts';

/** The label of all containers of a test cluster; its value is the cluster's id. */
export const CLUSTER_LABEL = 'hotcast.test.cluster';

export const NATS_IMAGE = process.env['NATS_IMAGE'] || 'nats:2.15-alpine';
const SOCKET = process.env['DOCKER_SOCKET'] || '/var/run/docker.sock';
const NATS_CONF = configurationFile('nats/nats.conf');

/** Writable folders for a container with a read-only file system. */
const TMPFS = { '/tmp': 'size=64m', '/run/hotcast': 'uid=1000,gid=1000,size=1m' };

const GIB = 2 ** 30;

type Environment = Readonly<Record<string, string>>;
type BindMount = Parameters<HardenedContainer['withBindMounts']>[0][number];

/** Names the image of a service. */
export type Images = (service: 'node' | 'controller' | 'roster' | 'auth-callout') => string;

/** The volume in which the nodes of a cluster keep what outlives a restart of their containers. */
export function stateVolumeOf(id: string): string {
  return `${id}-node-state`;
}

/** How the containers of one cluster are configured: the same as in docker-compose.yml. */
export class ContainerSpecs {
  readonly #id: string;
  readonly #cookie: string;
  readonly #keys: ClusterKeys;
  readonly #images: Images;

  /** @param id the cluster's id, which is also the name of its network. */
  constructor(id: string, cookie: string, keys: ClusterKeys, images: Images) {
    this.#images = images;
    this.#id = id;
    this.#cookie = cookie;
    this.#keys = keys;
  }

  /** @param diskMb with it, the disk of NATS is so small, and does not outlive a stop of the container. */
  nats(diskMb?: number): HardenedContainer {
    const container = this.#base(NATS_IMAGE, 'nats', this.#cookie)
      .withCommand(['-c', '/etc/nats/nats.conf'])
      .withBindMounts([
        { source: NATS_CONF, target: '/etc/nats/nats.conf', mode: 'ro' },
        { source: this.#keys.folder('nats'), target: '/etc/nats/keys', mode: 'ro' },
      ])
      .withLoopbackPort(4222)
      .withTmpFs({ '/tmp': 'size=16m', ...(diskMb === undefined ? {} : { '/data': `size=${diskMb}m` }) })
      .withMemory(GIB)
      .withWaitStrategy(Wait.forLogMessage('Server is ready'));
    return diskMb === undefined ? container.withAnonymousVolume('/data') : container;
  }

  roster(): HardenedContainer {
    return this.#base(this.#images('roster'), 'roster', this.#cookie)
      .withUser('0:0')
      .withTmpFs({ '/run/hotcast': 'size=1m' })
      .withBindMounts([{ source: SOCKET, target: '/var/run/docker.sock' }, this.#keysOf('roster')])
      .withEnvironment({ NODE_LABELS: `${CLUSTER_LABEL}=${this.#id},hotcast.node=${this.#cookie}` });
  }

  authCallout(): HardenedContainer {
    return this.#base(this.#images('auth-callout'), 'auth-callout', this.#cookie)
      .withTmpFs({ '/run/hotcast': 'uid=1000,gid=1000,size=1m' })
      .withBindMounts([this.#keysOf('auth-callout')]);
  }

  proxy(): HardenedContainer {
    return configureProxy(this.#base(PROXY_IMAGE, 'proxy', this.#cookie));
  }

  controller(suffix: string, cookie: string, modules: ModulesFolder, environment: Environment = {}): HardenedContainer {
    return this.#base(this.#images('controller'), suffix, cookie)
      .withEnvironment(environment)
      .withMemory(GIB)
      .withTmpFs({ ...TMPFS, '/var/lib/hotcast': 'uid=1000,gid=1000,size=1m' })
      .withBindMounts([...modules.mounts, this.#keysOf('controller'), this.#trust('rw')]);
  }

  node(suffix: string, cookie: string, environment: Environment = {}): HardenedContainer {
    const container = this.#base(this.#images('node'), suffix, cookie)
      .withMemory(GIB)
      .withTmpFs(TMPFS)
      .withEnvironment(environment)
      .withBindMounts([
        this.#keysOf('node'),
        this.#trust('ro'),
        { source: stateVolumeOf(this.#id), target: '/var/lib/hotcast' },
      ])
      .withLabels({ 'hotcast.node': cookie });
    return cookie === this.#cookie ? container.withSharedName(this.#id, 'node') : container;
  }

  #base(image: string, suffix: string, cookie: string): HardenedContainer {
    return new HardenedContainer(image, `${this.#id}-${suffix}`)
      .withLabels({ [CLUSTER_LABEL]: this.#id })
      .withEnvironment({ COOKIE: cookie, HOTCAST_PROJECT: this.#id, NATS_URL: `nats://${this.#id}-nats:4222` })
      .withNetworkMode(this.#id)
      .withWaitStrategy(Wait.forLogMessage('"msg":"ready"'));
  }

  #keysOf(role: Role | 'auth-callout'): BindMount {
    return { source: this.#keys.folder(role), target: '/run/keys', mode: role === 'controller' ? 'rw' : 'ro' };
  }

  #trust(mode: 'ro' | 'rw'): BindMount {
    return { source: this.#keys.folder('trust'), target: '/run/trust', mode };
  }
}
