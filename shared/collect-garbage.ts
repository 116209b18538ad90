import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Runs a full garbage collection before it returns. (`HeapProfiler.collectGarbage` leaves buffers of dead objects.) */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // V8 rejects the code caches of bundles while its flags are not those of the preflight.
  setFlagsFromString('--no-expose-gc');
  collect();
}
