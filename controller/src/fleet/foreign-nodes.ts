import * as v from 'valibot';

import { parseJson } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { HEARTBEAT_INTERVAL, MAX_HEARTBEAT_INTERVAL, MISSED_HEARTBEATS } from '../../../protocol/limits.ts';
import { compareNodes } from '../../../protocol/names.ts';
import { count } from '../../../protocol/schemas.ts';
import { isSpoken, PROTOCOL, protocolOf } from '../../../protocol/version.ts';

/** The time until a node's next heartbeat, if it says that as this release does. */
const announced = v.object({ heartbeatInterval: v.pipe(count, v.maxValue(MAX_HEARTBEAT_INTERVAL)) });

/** A node with which this controller does not understand itself: their releases are too far apart. */
export interface ForeignNode {
  readonly node: string;
  readonly protocol: number;
}

/** Knows the nodes of other releases by their events, of which only the version is read. */
export class ForeignNodes {
  readonly #heard = new Map<string, { readonly protocol: number; readonly until: number }>();

  /** Takes note of an event. Returns whether its sender is of another release. */
  note(node: string, kind: string, event: Uint8Array): boolean {
    const json = jsonIn(event);
    const protocol = protocolOf(json);
    this.#heard.delete(node);
    if (protocol === null || isSpoken(protocol)) return false;
    const interval = v.is(announced, json) ? json.heartbeatInterval : HEARTBEAT_INTERVAL;
    if (kind !== 'goodbye')
      this.#heard.set(node, { protocol, until: performance.now() + MISSED_HEARTBEATS * interval });
    return true;
  }

  /** Those that are present. */
  present(): ForeignNode[] {
    const now = performance.now();
    for (const [node, { until }] of this.#heard) if (now > until) this.#heard.delete(node);
    return [...this.#heard].map(([node, { protocol }]) => ({ node, protocol }));
  }
}

/** Who is of another release, which, and what to do. */
export function foreignText(nodes: readonly ForeignNode[]): string {
  const sorted = nodes.toSorted((a, b) => compareNodes(a.node, b.node));
  const who = sorted.map(({ node, protocol }) => `${node} (protocol ${protocol})`).join(', ');
  const isNewer = nodes.some(({ protocol }) => protocol > PROTOCOL);
  const remedy = isNewer ? 'run the controller of their release' : 'replace them, or push --without them';
  return `of another release: ${who}; this controller speaks ${PROTOCOL - 1} to ${PROTOCOL + 1}: ${remedy}`;
}

/** The version in a message; null when it is not JSON. */
export function versionIn(message: Uint8Array): number | null {
  return protocolOf(jsonIn(message));
}

function jsonIn(message: Uint8Array): unknown {
  try {
    return parseJson(message);
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
