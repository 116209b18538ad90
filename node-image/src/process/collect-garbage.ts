import { Session } from 'node:inspector';

/** Lets go of all memory that nothing uses, at once: for the moment in which a node has started. */
export function collectGarbage(): void {
  const session = new Session();
  session.connect();
  session.post('HeapProfiler.collectGarbage');
  session.disconnect();
}
