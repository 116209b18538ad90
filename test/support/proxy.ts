import { resolve } from 'node:path';

import { Wait } from 'testcontainers';

import type { HardenedContainer } from './docker.ts';

export const PROXY_IMAGE = process.env['PROXY_IMAGE'] || 'haproxy:3.2-alpine';

const SOURCE = resolve(import.meta.dirname, '../../proxy/haproxy.cfg');
const TARGET = '/etc/haproxy/haproxy.cfg';

/** Sets a container up as docker-compose.yml does with the proxy, at a port that is free. */
export function asProxy(container: HardenedContainer): HardenedContainer {
  return container
    .withUser('99:99')
    .withMemory(512 * 2 ** 20)
    .withEntrypoint(['haproxy', '-f', TARGET])
    .withBindMounts([{ source: SOURCE, target: TARGET, mode: 'ro' }])
    .withLoopbackPort(8080)
    .withWaitStrategy(Wait.forListeningPorts());
}
