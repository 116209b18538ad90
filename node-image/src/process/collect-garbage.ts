import { Session } from 'node:inspector';

/** Runs a full garbage collection now. Half of the heap of a started process is garbage of its start. */
export function collectGarbage(): void {
  const session = new Session();
  session.connect();
  session.post('HeapProfiler.collectGarbage');
  session.disconnect();
}
