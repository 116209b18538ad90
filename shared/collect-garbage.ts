import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | null = null;

/** Runs a full garbage collection before it returns. (`HeapProfiler.collectGarbage` leaves buffers of dead objects.) */
export function collectGarbage(): void {
  collect ??= exposed();
  collect();
}

/** Changes V8's flags once, when the process starts: later, code runs that does not expect it. */
function exposed(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  // V8 rejects the code caches of bundles while its flags are not those of the preflight.
  setFlagsFromString('--no-expose-gc');
  return gc;
}
