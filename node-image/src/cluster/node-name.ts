import { networkInterfaces } from 'node:os';

import { nodeNameOf } from '../../../protocol/names.ts';
import { reverseDns } from '../../../shared/reverse-dns.ts';

/**
 * The preferred name of this node, made from the name of its address in Docker's DNS (`hotcast-node-3.hotcast_default` →
 * `betty`). It is the same after a restart of the container. Without this DNS (outside Docker's networks) the name is made
 * from the container's id.
 *
 * @param container the container's short id, which is its host name.
 */
export async function resolveNodeName(container: string): Promise<string> {
  const addresses = Object.values(networkInterfaces()).flatMap(list => list ?? []);
  for (const { internal, family, address } of addresses) {
    if (internal || family !== 'IPv4') continue;
    const host = await reverseDns(address);
    if (host !== null) return nodeNameOf(host);
  }
  return nodeNameOf(`node-${container.slice(0, 6)}x`);
}
