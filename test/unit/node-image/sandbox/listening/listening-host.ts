import { afterEach, beforeAll, beforeEach } from 'vitest';

import { CodeServer } from '../../../../../node-image/src/modules/code-server.ts';
import { scopeListening } from '../../../../../node-image/src/sandbox/listening/scope-listening.ts';
import { freePort } from '../../../../support/free-port.ts';
import { bundleOf, headOf, recordingLog } from '../../../fixtures.ts';

/** Makes a node for each test, and finds a free port for its modules. */
export function listeningHost() {
  let sequence = 0;
  const nextSequence = (): number => (sequence += 1);
  let host = { server: new CodeServer(recordingLog()), log: recordingLog(), port: 0 };
  beforeAll(scopeListening);
  beforeEach(async () => {
    const log = recordingLog();
    host = { server: new CodeServer(log), log, port: await freePort() };
  });
  afterEach(() => host.server.stop(1_000));
  return {
    current: () => host,
    nextSequence,
    push: (module: string, code: string) => {
      const bundle = bundleOf(module, code);
      host.server.prepare(bundle);
      return host.server.commit([headOf(module, bundle.revision, nextSequence())]);
    },
    remove: (module: string) => host.server.commit([headOf(module, null, nextSequence())]),
  };
}
