import { promises as dns } from 'node:dns';

/**
 * Looks up an IPv4 address in Docker's DNS. Returns the container's name without the network's: `hotcast-node-3`; null when
 * the DNS has no name, for example outside Docker's networks.
 */
export async function reverseDns(address: string): Promise<string | null> {
  try {
    const [host] = await dns.resolvePtr(`${address.split('.').toReversed().join('.')}.in-addr.arpa`);
    return host !== undefined && host.includes('.') ? host.slice(0, host.lastIndexOf('.')) : null;
  } catch {
    return null;
  }
}
