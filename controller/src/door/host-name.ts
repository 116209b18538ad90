import { promises as dns } from 'node:dns';

/** What Docker's own DNS calls an address, without the network's name: `hotcast-node-3`; null when it does not know it. */
export async function hostName(address: string): Promise<string | null> {
  try {
    const [host] = await dns.resolvePtr(`${address.split('.').toReversed().join('.')}.in-addr.arpa`);
    return host !== undefined && host.includes('.') ? host.slice(0, host.lastIndexOf('.')) : null;
  } catch {
    return null;
  }
}
