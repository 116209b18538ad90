import { expect, it, vi } from 'vitest';

import { NoStreamError } from '../../../../node-image/src/cluster/no-stream.ts';
import { createReconciler } from '../../../../node-image/src/cluster/reconciler.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { recordingLog } from '../../fixtures.ts';

it('no stream is no error while the controller of a new cluster has not made it, and one when it is lost', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0); // No jitter.
  const log = recordingLog();
  let fault: Error | null = new NoStreamError();
  const heads = () => (fault === null ? Promise.resolve([]) : Promise.reject(fault));
  const records = { heads, bundle: () => Promise.resolve(null) };
  using reconciler = createReconciler('fred', new CodeServer(log), records, log);

  await reconciler.start();
  expect(log.logged).toMatchObject([{ level: 'info', message: expect.stringContaining('no stream yet') as unknown }]);

  fault = null;
  await reconciler.readHeads();
  fault = new NoStreamError();
  await reconciler.readHeads();
  expect(log.logged.slice(1)).toMatchObject([{ level: 'warn', fields: { err: fault } }]);
  vi.restoreAllMocks();
});
