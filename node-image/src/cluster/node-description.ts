import { monitorEventLoopDelay } from 'node:perf_hooks';

import type { NodeDescription } from '../../../protocol/messages.ts';
import type { CodeServer } from '../modules/code-server.ts';
import type { Verifier } from '../admission/verifier.ts';
import { privateMemory } from '../process/private-memory.ts';

/** Who this process is; fixed from its start to its end. */
export interface Identity {
  readonly name: string;
  readonly container: string;
}

const startedAt = Math.round(performance.timeOrigin);

/** How long each turn of the event loop took, nanoseconds. A timer of its own would wake an idle node all the time. */
const loopDelay = monitorEventLoopDelay({ samplePerIteration: true });
loopDelay.enable();

/** Begins a new measurement of the event loop's delay, and ends the last. */
export function resetLoopDelay(): void {
  loopDelay.reset();
}

/** What this node says of itself. */
export function describeNode(identity: Identity, codeServer: CodeServer, verifier: Verifier): NodeDescription {
  return {
    node: identity.name,
    container: identity.container,
    pid: process.pid,
    startedAt,
    uptimeSeconds: Math.round(process.uptime()),
    memoryBytes: privateMemory(),
    modules: codeServer.describe(),
    refusals: codeServer.refusals(),
    loopDelay: Math.round(loopDelay.max / 1e6),
    rejected: verifier.refused,
  };
}
