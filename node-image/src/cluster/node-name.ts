import { networkInterfaces } from 'node:os';

import { nodeNameOf } from '../../../protocol/names.ts';
import { reverseDns } from '../../../shared/reverse-dns.ts';

/**
 * The name that this node should have, from what Docker's own DNS calls its address
 * (`hotcast-node-3.hotcast_default` → `betty`): the same after a restart of the container. Where no such DNS
 * answers (outside Docker's networks), from the container's id.
 *
 * @param container the container's short id, which is its host name.
 */
export async function resolveNodeName(container: string): Promise<string> {
  for (const address of ownAddresses()) {
    const host = await reverseDns(address);
    if (host !== null) return nodeNameOf(host);
  }
  return nodeNameOf(`node-${container.slice(0, 6)}x`);
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .filter(address => !address.internal && address.family === 'IPv4')
    .map(address => address.address);
}
