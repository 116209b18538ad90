import { readFileSync } from 'node:fs';

import type { ProcessUsage } from './orders.ts';

/** Linux counts processor time in ticks of 10 ms (`USER_HZ`, proc(5)), and memory in pages. */
const TICK = 10;
const PAGE = 4_096;

/** What Linux says of a process. */
export function usageOf(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the program's name in parentheses, with whatever is in it.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0] = fields.slice(11, 13);
  return { cpu: (user + system) * TICK, rss: (fields[21] ?? 0) * PAGE };
}
