import { describe, expect, it } from 'vitest';

import { createReconciler } from '../../../../node-image/src/cluster/reconciler.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { bundleOf, headOf, recordingLog } from '../../fixtures.ts';

describe('a node that is behind', () => {
  it('reads some bundles at the same time, but not all', async () => {
    const bundles = Array.from({ length: 9 }, (_, index) => bundleOf(`demo-${index}`, `exports.version = ${index};`));
    const heads = bundles.map(({ module, revision }, index) => headOf(module, revision, index + 1));
    let [running, most] = [0, 0];
    const records = {
      heads: async () => heads,
      bundle: async (module: string) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(resolve => setImmediate(resolve));
        running -= 1;
        return bundles.find(bundle => bundle.module === module) ?? null;
      },
    };
    const log = recordingLog();
    const codeServer = new CodeServer(log);
    using reconciler = createReconciler('fred', codeServer, records, log);
    await reconciler.start();
    expect(Object.keys(codeServer.describe())).toHaveLength(9);
    expect(most).toBe(4);
  });
});
