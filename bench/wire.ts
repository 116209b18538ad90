import { setTimeout as pause } from 'node:timers/promises';

import type Docker from 'dockerode';

/** How long the containers are looked at while nothing is pushed (milliseconds). */
const IDLE = 2_000;

/** What a push has the network interfaces of nodes carry, with the headers of TCP, IP and Ethernet (bytes). */
export interface WireCost {
  /** Of loadable code. */
  readonly bytes: number;
  /** Received and sent by a node for one push (mean). */
  readonly received: number;
  readonly sent: number;
}

interface Traffic {
  readonly received: number;
  readonly sent: number;
  /** When it was read (milliseconds). */
  readonly at: number;
}

/**
 * Looks at the interfaces of nodes around so many pushes, and takes off what goes over them in any case: heartbeat, pings.
 *
 * @param ids the nodes' containers.
 */
export async function wireCost(
  docker: Docker,
  ids: readonly string[],
  pushes: number,
  bytes: number,
  push: () => Promise<unknown>,
): Promise<WireCost> {
  const first = await trafficOf(docker, ids);
  await pause(IDLE);
  const second = await trafficOf(docker, ids);
  for (let pushed = 0; pushed < pushes; pushed += 1) await push();
  const third = await trafficOf(docker, ids);
  const share = (kind: 'received' | 'sent'): number => {
    const idle = (second[kind] - first[kind]) / (second.at - first.at);
    return (third[kind] - second[kind] - idle * (third.at - second.at)) / pushes / ids.length;
  };
  return { bytes, received: share('received'), sent: share('sent') };
}

async function trafficOf(docker: Docker, ids: readonly string[]): Promise<Traffic> {
  const all = await Promise.all(
    ids.map(async id => {
      const { networks } = await docker.getContainer(id).stats({ stream: false, 'one-shot': true });
      return Object.values(networks);
    }),
  );
  const interfaces = all.flat();
  return {
    received: interfaces.reduce((sum, { rx_bytes }) => sum + rx_bytes, 0),
    sent: interfaces.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0),
    at: performance.now(),
  };
}
