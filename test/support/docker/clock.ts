import type { Cluster } from '../cluster/cluster.ts';

/** Where a process with {@link SHIFTABLE_CLOCK} reads how far its clock is off (milliseconds). */
export const CLOCK_FILE = '/tmp/clock-offset';

/** Replaces the wall clock of a process. Its monotonic clock stays. */
const PRELOAD = `
import { readFileSync } from 'node:fs';
const RealDate = Date;
const { timeOrigin } = performance;
const offset = () => {
  try { return Number(readFileSync('${CLOCK_FILE}', 'utf8')); } catch { return 0; }
};
globalThis.Date = class extends RealDate {
  constructor(...args) { super(...(args.length === 0 ? [RealDate.now() + offset()] : args)); }
  static now() { return RealDate.now() + offset(); }
};
Object.defineProperty(performance, 'timeOrigin', { get: () => timeOrigin + offset() });
`;

/** The environment of containers whose clock {@link setClock} can set. */
export const SHIFTABLE_CLOCK = {
  NODE_OPTIONS: `--import=data:text/javascript;base64,${Buffer.from(PRELOAD).toString('base64')}`,
};

/** Sets the clock of a container so far off (milliseconds). With its next start it is right again. */
export async function setClock(cluster: Cluster, container: string, offsetMs: number): Promise<void> {
  const { exitCode } = await cluster.exec(container, ['sh', '-c', `echo ${offsetMs} > ${CLOCK_FILE}`]);
  if (exitCode !== 0) throw new Error(`the clock of ${container} could not be set`);
}
