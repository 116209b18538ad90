import { describe, expect, it } from 'vitest';

import { stackOf } from '../../../../setup/stack/stack-file.ts';

const COMPOSE = `
services:
  node:
    restart: unless-stopped
    build: { context: ., dockerfile: node-image/Dockerfile }
    mem_limit: \${NODE_MEMORY:-1g}
    pids_limit: \${PIDS_LIMIT:-512}
    environment: { COOKIE: dino, HOTCAST_PROJECT: '\${COMPOSE_PROJECT_NAME}', NATS_TLS: }
    volumes: ['node-keys:/run/keys:ro']
    tmpfs: ['/tmp:size=64m', '/run/hotcast:uid=1000,gid=1000,size=1m']
    labels: { hotcast.node: dino }
  controller:
    build: { target: controller }
  keygen: {}
`;
const SWARM = `
services:
  node:
    environment: { TASK_NAME: '{{.Task.Name}}' }
    labels: null
    volumes: ['state:/var/lib/hotcast']
    deploy: { replicas: 3 }
volumes: { state: }
configs:
  haproxy: { file: ./proxy/haproxy.cfg }
`;

interface Stack {
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly configs: Readonly<Record<string, { readonly name: string }>>;
}

const stackFrom = (swarm = SWARM, config = 'text'): Stack => stackOf(COMPOSE, swarm, () => config) as unknown as Stack;

describe('a stack', () => {
  it('has the services that swarm.yml has, with published images and without what only Compose knows', () => {
    const { services } = stackFrom();
    expect(Object.keys(services)).toEqual(['node']);
    expect(services['node']?.['image']).toMatch(/^\$\{HOTCAST_IMAGES:-hotcast\}\/node:\$\{HOTCAST_VERSION:-\d/);
    expect(Object.keys(services['node'] ?? {})).toEqual(['image', 'environment', 'deploy', 'volumes']);
  });

  it('has limits as Swarm takes them, and what swarm.yml adds', () => {
    expect(stackFrom().services['node']?.['deploy']).toEqual({
      endpoint_mode: 'dnsrr',
      restart_policy: { condition: 'any', delay: '1s' },
      resources: { limits: { memory: '${NODE_MEMORY:-1g}', pids: 512 } },
      replicas: 3,
    });
  });

  it('has folders in memory without an owner, after the volumes', () => {
    expect(stackFrom().services['node']?.['volumes']).toEqual([
      'state:/var/lib/hotcast',
      { type: 'tmpfs', target: '/tmp', tmpfs: { size: 64 * 2 ** 20 } },
      { type: 'tmpfs', target: '/run/hotcast', tmpfs: { size: 2 ** 20 } },
    ]);
  });

  it('merges the environment, and takes its name from Swarm', () => {
    expect(stackFrom().services['node']?.['environment']).toEqual({
      COOKIE: 'dino',
      HOTCAST_PROJECT: '{{index .Service.Labels "com.docker.stack.namespace"}}',
      TASK_NAME: '{{.Task.Name}}',
    });
  });

  it('calls a config differently when its file changes', () => {
    const [one, two] = ['one', 'two'].map(text => stackFrom(SWARM, text).configs['haproxy']?.name);
    expect(one).not.toBe(two);
    expect(stackFrom(SWARM, 'one').configs['haproxy']?.name).toBe(one);
  });

  it('is not made of a service that docker-compose.yml does not have', () => {
    expect(() => stackFrom('services: { worker: {} }')).toThrow('docker-compose.yml has no service worker');
  });
});
