import { openSync, readSync } from 'node:fs';

/** The memory of a process, in bytes. */
export interface ProcessMemory {
  /** All its pages in memory. */
  readonly resident: () => number;
  /** What one more node costs a machine: without the pages of files, like the Node.js executable, which all processes share. */
  readonly private: () => number;
}

/**
 * Reads the memory of this process from `statm` (proc_pid_statm(5)), which stays open: that takes much less time than
 * `process.memoryUsage.rss()`, and the watchdog reads it four times a second. Without that file, all memory is private.
 */
export function processMemory(
  statm = '/proc/self/statm',
  rss = (): number => process.memoryUsage.rss(),
): ProcessMemory {
  const file = open(statm);
  if (file === null) return { resident: rss, private: rss };
  const text = Buffer.alloc(128);
  const read = (): readonly [resident: number, shared: number] => {
    const length = readSync(file, text, 0, text.length, 0);
    const [, resident, shared] = text.toString('latin1', 0, length).split(' ', 3);
    return [Number(resident), Number(shared)];
  };
  // Node.js does not tell the size of a page. It is a power of two.
  const pageBytes = 2 ** Math.round(Math.log2(rss() / read()[0]));
  return {
    resident: () => read()[0] * pageBytes,
    private: () => {
      const [resident, shared] = read();
      return (resident - shared) * pageBytes;
    },
  };
}

function open(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    return null;
  }
}
