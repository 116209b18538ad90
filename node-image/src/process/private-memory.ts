import { readFileSync } from 'node:fs';

/**
 * How much memory this process alone holds, in bytes: what one more node costs a machine. The pages of Node.js's own file,
 * which all its processes share, are not in it; they are in the resident size. Where the kernel has no `/proc`, that is given.
 */
export function privateMemory(): number {
  const resident = process.memoryUsage.rss();
  try {
    return Math.round(resident * privateShare(readFileSync('/proc/self/statm', 'latin1')));
  } catch {
    return resident;
  }
}

/** The part of the resident pages that is not of files, from 0 to 1; `statm` as in proc_pid_statm(5). Pure. */
export function privateShare(statm: string): number {
  const [, resident = 0, shared = 0] = statm.split(' ').map(Number);
  return resident > 0 ? 1 - shared / resident : 1;
}
