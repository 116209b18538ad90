import { url as inspectorUrl } from 'node:inspector';

import type { NodeDescription } from '../../../protocol/messages.ts';
import { PROTOCOL } from '../../../protocol/version.ts';
import type { Verifier } from '../admission/verifier.ts';
import type { CodeServer } from '../modules/code-server.ts';
import { PACKAGE_VERSION } from '../../../shared/package-version.ts';
import { processMemory } from '../../../shared/process-memory.ts';
import type { Reconciler } from './reconciler.ts';
import type { RecordReader } from './record-reader.ts';
import { isDebuggerAttached } from '../watchdog/attached-debugger.ts';

/** The identity of this process, which never changes. */
export interface Identity {
  readonly name: string;
  readonly container: string;
  /** The group that the configuration of the node names; '' for none, the default. */
  readonly group?: string;
}

/** What a node's description is made of. */
export interface DescribedNode {
  readonly identity: Identity;
  readonly verifier: Verifier;
  readonly codeServer: CodeServer;
  readonly reconciler: Pick<Reconciler, 'refusals'>;
  readonly records: Pick<RecordReader, 'unreadable'>;
  /** The delay of the event loop (nanoseconds), as `perf_hooks` measures it. */
  readonly loopDelay: { readonly max: number; reset(): void };
}

const startedAt = Math.round(performance.timeOrigin);
const memory = processMemory();

/** Describes this node for the cluster. */
export function describeNode({
  identity,
  codeServer,
  reconciler,
  records,
  verifier,
  loopDelay,
}: DescribedNode): NodeDescription {
  const leftBehind = codeServer.describeLeftBehind();
  const unreadable = records.unreadable();
  return {
    node: identity.name,
    protocol: PROTOCOL,
    container: identity.container,
    group: identity.group ?? '',
    version: PACKAGE_VERSION,
    pid: process.pid,
    startedAt,
    uptimeSeconds: Math.round(process.uptime()),
    clock: Date.now(),
    memoryBytes: memory.private(),
    modules: codeServer.describe(),
    draining: codeServer.describeDraining(),
    refusals: reconciler.refusals(),
    loopDelay: Math.round(loopDelay.max / 1e6),
    rejected: verifier.rejected,
    ...(unreadable.size > 0 ? { unreadable: Object.fromEntries(unreadable) } : {}),
    ...(Object.keys(leftBehind).length > 0 ? { leftBehind } : {}),
    ...(inspectorUrl() !== undefined && isDebuggerAttached() ? { debugged: true } : {}),
  };
}
