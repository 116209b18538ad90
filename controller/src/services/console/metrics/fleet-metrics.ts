import { Counter, Gauge, Registry } from 'prom-client';

import { shortRevision } from '../../../../../protocol/revision.ts';
import type { Fact } from '../model/fact.ts';
import { type Fleet, isControllerGone } from '../model/fleet.ts';
import { type State, STATES } from '../model/node.ts';
import { deltaOf } from '../model/series.ts';
import { changeMetrics } from './change-metrics.ts';

/** The states of a node that does not run what the heads say. */
const DRIFTING: ReadonlySet<State> = new Set(['behind', 'refused']);

export interface FleetMetrics {
  /** Takes in a fact, with the fleet as it was before. */
  readonly heard: (before: Fleet, fact: Fact) => void;
  /** Counts from now on: what was heard until then had happened before. */
  readonly begin: () => void;
  /** The metrics of a fleet in Prometheus's text format. */
  readonly text: (fleet: Fleet) => Promise<string>;
  readonly contentType: string;
}

/**
 * The metrics of the fleet. Names and units follow Prometheus's conventions. Labels are bounded: by the states, by the nodes that are
 * there, and by the revisions that run. Counters begin when the console starts.
 */
export function fleetMetrics(): FleetMetrics {
  const registry = new Registry();
  const registers = [registry];
  const changes = changeMetrics(registry);
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Gauge<T> =>
    new Gauge({ name: `hotcast_${name}`, help, labelNames, registers });

  const connected = gauge(
    'console_connected',
    'Whether the console has a connection to NATS. Without one, all else is what was last known.',
  );
  const controller = gauge('controller_up', 'Whether a controller was heard in the last seconds.');
  const roster = gauge('roster_up', 'Whether the roster answers with the containers of the nodes.');
  const nodes = gauge('nodes', 'Nodes by state, as the console shows them.', ['state']);
  const drift = gauge(
    'drift_seconds',
    'For how long the node that has waited longest does not run what the heads say; 0 when all do.',
  );
  const moduleNodes = gauge('module_nodes', 'Nodes that run a revision of a module.', ['module', 'revision']);
  const moduleHead = gauge('module_head', '1 for the revision that a module should run, as its head says.', [
    'module',
    'revision',
  ]);
  const canary = gauge('module_canary', '1 for a revision that a part of the fleet tries.', ['module', 'revision']);
  const refusing = gauge('module_refusing_nodes', 'Nodes that refuse the newest head of a module, by reason.', [
    'module',
    'reason',
  ]);
  const draining = gauge('draining_versions', 'Earlier versions of modules that drain, on all nodes.');
  const memory = gauge('node_memory_bytes', 'The private memory of the process of a node.', ['node']);
  const loopDelay = gauge(
    'node_event_loop_delay_seconds',
    'The longest turn of the event loop since the last heartbeat.',
    ['node'],
  );
  const started = gauge('node_start_time_seconds', 'When the process of a node has started.', ['node', 'version']);
  const stream = gauge('stream_bytes', 'The size of the stream.');
  const streamMax = gauge('stream_max_bytes', 'The size that the stream can have.');
  const calls = new Counter({
    name: 'hotcast_calls_total',
    help: 'Calls and requests that have ended, on all nodes.',
    registers,
  });
  const callErrors = new Counter({ name: 'hotcast_call_errors_total', help: 'Those of them that failed.', registers });

  const observe = (fleet: Fleet): void => {
    for (const metric of [nodes, moduleNodes, moduleHead, canary, refusing, memory, loopDelay, started]) metric.reset();
    connected.set(fleet.cutSince === null ? 1 : 0);
    controller.set(isControllerGone(fleet) ? 0 : 1);
    roster.set(fleet.rosterProblem === null ? 1 : 0);
    for (const state of STATES) nodes.set({ state }, 0);
    let [driftingSince, versions] = [fleet.now, 0];
    for (const { name, state, since, description } of fleet.nodes.values()) {
      nodes.inc({ state });
      if (DRIFTING.has(state)) driftingSince = Math.min(driftingSince, since);
      if (description === null || state === 'left') continue;
      memory.set({ node: name }, description.memoryBytes);
      loopDelay.set({ node: name }, description.loopDelay / 1_000);
      started.set({ node: name, version: description.version ?? '' }, description.startedAt / 1_000);
      versions += description.draining.length;
      for (const [module, { revision }] of Object.entries(description.modules))
        moduleNodes.inc({ module, revision: shortRevision(revision) });
      for (const [module, { reason }] of Object.entries(description.refusals)) refusing.inc({ module, reason });
    }
    drift.set((fleet.now - driftingSince) / 1_000);
    draining.set(versions);
    for (const head of fleet.heads.values()) {
      const { module } = head;
      if (head.revision !== null) moduleHead.set({ module, revision: shortRevision(head.revision) }, 1);
      if (head.canary !== null) canary.set({ module, revision: shortRevision(head.canary.revision) }, 1);
    }
    if (fleet.storage === null) return;
    stream.set(fleet.storage.bytes);
    streamMax.set(fleet.storage.maxBytes);
  };

  return {
    heard: (before, fact) => {
      changes.heard(fact);
      if (fact.type !== 'heartbeat' && fact.type !== 'goodbye') return;
      const delta = deltaOf(before.nodes.get(fact.description.node)?.description ?? null, fact.description);
      calls.inc(delta.calls);
      callErrors.inc(delta.errors);
    },
    begin: changes.begin,
    text: fleet => {
      observe(fleet);
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}
