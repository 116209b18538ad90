import { promises as dns } from 'node:dns';

/**
 * The name that Docker's DNS has for an IPv4 address, without the network's name: `hotcast-node-3`. Null when the DNS has
 * none, for example outside Docker's networks.
 */
export async function reverseDns(address: string): Promise<string | null> {
  try {
    const [host] = await dns.resolvePtr(`${address.split('.').toReversed().join('.')}.in-addr.arpa`);
    return host !== undefined && host.includes('.') ? host.slice(0, host.lastIndexOf('.')) : null;
  } catch {
    return null;
  }
}
