import { readFileSync } from 'node:fs';

/** The state of an open connection in the kernel's table. */
const ESTABLISHED = '01';

/** The kernel's tables of the container's connections. */
const TABLES = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];

/**
 * Whether a client is connected to the port of the inspector. The kernel knows it also while the main thread stands at a
 * breakpoint. A client that leaves lets the main thread run again.
 */
export function isDebuggerAttached(port = process.debugPort, read = readTable): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return TABLES.some(table =>
    read(table)
      .split('\n')
      .some(line => {
        const [, address = '', , state] = line.trim().split(/\s+/);
        return state === ESTABLISHED && address.endsWith(local);
      }),
  );
}

function readTable(table: string): string {
  try {
    return readFileSync(table, 'utf8');
  } catch {
    // There is no such table on another system, or without IPv6.
    return '';
  }
}
