import type { NatsConnection } from '@nats-io/transport-node';

import type { NodeChange } from '../../../protocol/history/node-change.ts';
import { HEARTBEAT_INTERVAL, MAX_HEARTBEAT_INTERVAL, MISSED_HEARTBEATS } from '../../../protocol/limits.ts';
import type { NodeDescription } from '../../../protocol/messages.ts';
import type { Logger } from '../../../shared/logger.ts';
import { TokenBucket } from '../../../shared/rates/token-bucket.ts';
import type { Audit } from '../store/audit.ts';
import { createChangeWriter } from './change-writer.ts';
import type { Membership } from './membership.ts';

/** Whether nodes are silent is looked at so often (milliseconds). */
const LOOK_MS = 1_000;

/** So many changes of one node are written at once, and one in five minutes in the long run: it can crash for days. */
const BURST = 20;
const PER_SECOND = 1 / 300;

/** The id of a container has at most so many characters: a node says it. */
const MAX_ID = 64;

interface NodeWatchDeps {
  readonly nats: Pick<NatsConnection, 'status'>;
  readonly membership: Pick<Membership, 'onEvent' | 'containers'>;
  readonly audit: Pick<Audit, 'nodeChanges' | 'writeNodeChange'>;
  readonly log: Logger;
}

interface Watched {
  last: Omit<NodeChange, 'at' | 'detail'>;
  /** When it was heard, by `performance.now`. */
  heardAt: number;
  /** The time between its heartbeats, milliseconds; the longest one while it was not heard by this process. */
  interval: number;
  readonly bucket: TokenBucket;
  /** How many changes were not written, because there were too many. */
  left: number;
}

/**
 * Writes into the audit that nodes have come and gone, until it is disposed. It goes on from what the audit has: a controller that starts
 * tells what has changed since the last one, and nothing twice.
 */
export async function watchNodes({ nats, membership, audit, log }: NodeWatchDeps): Promise<Disposable> {
  const nodes = new Map<string, Watched>();
  const writer = createChangeWriter(audit, log);
  const tell = (watched: Watched, change: NodeChange['change'], detail: string): void => {
    watched.last = { ...watched.last, change };
    if (writer.isFull || !watched.bucket.take()) {
      watched.left += 1;
      return;
    }
    writer.write({
      at: Date.now(),
      ...watched.last,
      detail: [detail, ...leftBefore(watched)].filter(part => part !== '').join('; '),
    });
  };
  /** Writes the state of nodes of which too much was not written, as soon as it can be. */
  const catchUp = (): void => {
    for (const watched of nodes.values()) {
      if (watched.left === 0 || writer.isFull || !watched.bucket.take()) continue;
      watched.left -= 1;
      writer.write({ at: Date.now(), ...watched.last, detail: leftBefore(watched).join('') });
    }
  };

  for (const { at: _, detail: __, ...last } of await audit.nodeChanges()) nodes.set(last.node, unheard(last));
  membership.onEvent((kind, description) => {
    const { node, startedAt, heartbeatInterval = HEARTBEAT_INTERVAL } = description;
    const container = description.container.slice(0, MAX_ID);
    const known = nodes.get(node);
    const isKnown = known?.last.startedAt === startedAt && known.last.container === container;
    const watched = known ?? unheard({ node, container, startedAt, change: 'stopped' });
    nodes.set(node, watched);
    watched.heardAt = performance.now();
    watched.interval = heartbeatInterval;
    if (!isKnown) watched.last = { node, container, startedAt, change: 'started' };
    if (kind === 'goodbye') {
      if (watched.last.change !== 'stopped') tell(watched, 'stopped', 'it said goodbye');
    } else if (!isKnown) tell(watched, 'started', versionText(description));
    else if (watched.last.change === 'silent') tell(watched, 'back', '');
  });

  let isLooking = false;
  let connectedAt: number | null = performance.now();
  const follow = async (): Promise<void> => {
    for await (const { type } of nats.status()) {
      if (type === 'disconnect' || type === 'staleConnection') connectedAt = null;
      else if (type === 'reconnect') connectedAt = performance.now();
    }
  };
  void follow();
  const look = async (): Promise<void> => {
    if (connectedAt === null || isLooking) return;
    void writer.flush();
    catchUp();
    const now = performance.now();
    const quiet = [...nodes.values()].filter(
      ({ last: { change }, heardAt, interval }) =>
        (change === 'started' || change === 'back') &&
        now - Math.max(heardAt, connectedAt ?? now) > MISSED_HEARTBEATS * interval,
    );
    if (quiet.length === 0) return;
    isLooking = true;
    const containers = await membership.containers().finally(() => (isLooking = false));
    const running = containers === null ? null : new Set(containers.map(({ id }) => id));
    for (const watched of quiet) {
      if (watched.heardAt > now) continue;
      const isEnded = running?.has(watched.last.container) === false;
      const ended = 'no heartbeat comes, and the Docker engine here runs no container of it';
      tell(watched, 'silent', isEnded ? ended : 'no heartbeat comes: blocked, cut off or dead');
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function unheard(last: Watched['last']): Watched {
  const bucket = new TokenBucket(PER_SECOND, BURST);
  return { last, heardAt: performance.now(), interval: MAX_HEARTBEAT_INTERVAL, bucket, left: 0 };
}

/** Says how many changes were not written, and forgets them. */
function leftBefore(watched: Watched): string[] {
  const { left } = watched;
  watched.left = 0;
  return left === 0 ? [] : [`${left} starts and ends before were too many to be written`];
}

function versionText({ version }: NodeDescription): string {
  return version === undefined ? '' : `Hotcast ${version}`;
}
