import { readFileSync } from 'node:fs';

/**
 * The private memory of this process, in bytes: what one more node costs a machine. It excludes the pages of the Node.js
 * executable, which all processes share. Without `/proc` it is the resident size, which includes them.
 */
export function privateMemory(): number {
  const resident = process.memoryUsage.rss();
  try {
    return Math.round(resident * privateShare(readFileSync('/proc/self/statm', 'latin1')));
  } catch {
    return resident;
  }
}

/** The share of the resident pages that does not belong to files, from 0 to 1; `statm` as in proc_pid_statm(5). */
export function privateShare(statm: string): number {
  const [, resident = 0, shared = 0] = statm.split(' ').map(Number);
  return resident > 0 ? 1 - shared / resident : 1;
}
