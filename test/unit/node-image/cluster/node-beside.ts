import { createReconciler, type RecordSource } from '../../../../node-image/src/cluster/reconciler.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import type { Bundle } from '../../../../protocol/bundle.ts';
import type { Head } from '../../../../protocol/head.ts';
import { recordingLog } from '../../fixtures.ts';

/** The stream, in memory. */
class Stream implements RecordSource {
  readonly stored: Head[];
  readonly bundles: Bundle[];
  reads = 0;
  bundleReads = 0;
  fault: Error | null = null;

  constructor(stored: Head[], bundles: Bundle[]) {
    this.stored = stored;
    this.bundles = bundles;
  }

  async heads(): Promise<readonly Head[]> {
    this.reads += 1;
    if (this.fault !== null) throw this.fault;
    return this.stored;
  }

  async bundle(module: string, revision: string): Promise<Bundle | null> {
    this.bundleReads += 1;
    if (this.fault !== null) throw this.fault;
    return this.bundles.find(bundle => bundle.module === module && bundle.revision === revision) ?? null;
  }
}

/** A node, and the stream that it reads. */
export function nodeBeside(stored: Head[], bundles: Bundle[]) {
  const log = recordingLog();
  const codeServer = new CodeServer(log);
  const stream = new Stream(stored, bundles);
  const running = (module: string): unknown => codeServer.current(module)?.exports['version'];
  return { log, codeServer, stream, running, reconciler: createReconciler('fred', codeServer, stream, log) };
}
