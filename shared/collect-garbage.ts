import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What is collected: everything, or only what is young, which is mostly dead and so takes a tenth of the time. */
type Kind = 'major' | 'minor';

let collect: ((options?: { readonly type: Kind }) => void) | null = null;

/** Runs a garbage collection before it returns. (`HeapProfiler.collectGarbage` leaves buffers of dead objects.) */
export function collectGarbage(type: Kind = 'major'): void {
  collect ??= exposed();
  if (type === 'minor') collect({ type });
  else collect();
}

/** Changes V8's flags once, when the process starts: later, code runs that does not expect it. */
function exposed(): NonNullable<typeof collect> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as NonNullable<typeof collect>;
  // V8 rejects the code caches of bundles while its flags are not those of the preflight.
  setFlagsFromString('--no-expose-gc');
  return gc;
}
