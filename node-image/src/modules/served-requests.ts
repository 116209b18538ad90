import type { Call } from './in-flight-calls.ts';
import type { Environment } from './loader.ts';
import type { ModuleErrors } from './module-errors.ts';
import type { Suspensions } from './state/suspension.ts';
import type { Version } from './version.ts';

/** What the servers of versions need of the code server. */
interface Host {
  readonly run: <T>(version: Version, output: null, body: () => T) => T;
  readonly beginCall: (version: Version, method: string, target: string) => Call;
  readonly endCall: (call: Call, failed: boolean) => void;
  readonly errors: Pick<ModuleErrors, 'keepFailedResponse'>;
  readonly suspensions: Pick<Suspensions, 'untilResumed'>;
}

/** How servers that versions open run: their code is the version's, and a request is a call. */
export function servedRequests(host: Host): Pick<Environment, 'run' | 'untilResumed' | 'onRequest'> {
  return {
    run: (version, body) => host.run(version, null, body),
    untilResumed: ({ module }) => host.suspensions.untilResumed(module),
    onRequest: (version, method, url) => {
      const call = host.beginCall(version, method, url);
      return failed => {
        if (failed) host.errors.keepFailedResponse(call);
        host.endCall(call, failed);
      };
    },
  };
}
