import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

/**
 * The address of a host name that this machine has itself, found at once: 127.0.0.1 for localhost, else what the hosts file
 * says, which has the names of a container. A name that only DNS knows stays as it is.
 */
export function hostAddress(host: string, hostsFile = '/etc/hosts'): string {
  const name = host.toLowerCase();
  if (isIP(host) !== 0 || host === '') return host;
  if (name === 'localhost' || name.endsWith('.localhost')) return '127.0.0.1';
  return addressIn(textOf(hostsFile), name) ?? host;
}

function addressIn(hosts: string, name: string): string | null {
  for (const line of hosts.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/);
    if (isIP(address) !== 0 && names.includes(name)) return address;
  }
  return null;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
