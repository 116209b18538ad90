import { Wait } from 'testcontainers';

import { configurationFile } from './configuration-file.ts';
import type { HardenedContainer } from './hardened-container.ts';

export const PROXY_IMAGE = process.env['PROXY_IMAGE'] || 'haproxy:3.2-alpine';

const SOURCE = configurationFile('proxy/haproxy.cfg');
const TARGET = '/etc/haproxy/haproxy.cfg';

/** Configures a container as the proxy of docker-compose.yml, on a free port. */
export function configureProxy(container: HardenedContainer): HardenedContainer {
  return container
    .withUser('99:99')
    .withMemory(512 * 2 ** 20)
    .withEntrypoint(['haproxy', '-f', TARGET])
    .withBindMounts([{ source: SOURCE, target: TARGET, mode: 'ro' }])
    .withLoopbackPort(8080)
    .withWaitStrategy(Wait.forListeningPorts());
}
