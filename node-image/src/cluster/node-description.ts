import { url as inspectorUrl } from 'node:inspector';

import type { NodeDescription } from '../../../protocol/messages.ts';
import type { Verifier } from '../admission/verifier.ts';
import type { CodeServer } from '../modules/code-server.ts';
import { PACKAGE_VERSION } from '../../../shared/package-version.ts';
import { privateMemory } from '../process/private-memory.ts';
import type { Reconciler } from './reconciler.ts';
import { isDebuggerAttached } from '../watchdog/attached-debugger.ts';

/** The identity of this process, which never changes. */
export interface Identity {
  readonly name: string;
  readonly container: string;
}

/** What a node's description is made of. */
export interface DescribedNode {
  readonly identity: Identity;
  readonly verifier: Verifier;
  readonly codeServer: CodeServer;
  readonly reconciler: Pick<Reconciler, 'refusals'>;
  /** The delay of the event loop (nanoseconds), as `perf_hooks` measures it. */
  readonly loopDelay: { readonly max: number; reset(): void };
}

const startedAt = Math.round(performance.timeOrigin);

/** Describes this node for the cluster. */
export function describeNode({
  identity,
  codeServer,
  reconciler,
  verifier,
  loopDelay,
}: DescribedNode): NodeDescription {
  const leftBehind = codeServer.describeLeftBehind();
  return {
    node: identity.name,
    container: identity.container,
    version: PACKAGE_VERSION,
    pid: process.pid,
    startedAt,
    uptimeSeconds: Math.round(process.uptime()),
    clock: Date.now(),
    memoryBytes: privateMemory(),
    modules: codeServer.describe(),
    draining: codeServer.describeDraining(),
    refusals: reconciler.refusals(),
    loopDelay: Math.round(loopDelay.max / 1e6),
    rejected: verifier.rejected,
    ...(Object.keys(leftBehind).length > 0 ? { leftBehind } : {}),
    ...(inspectorUrl() !== undefined && isDebuggerAttached() ? { debugged: true } : {}),
  };
}
