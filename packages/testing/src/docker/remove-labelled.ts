import { setTimeout as sleep } from 'node:timers/promises';

import { engine } from './engine.ts';

/** How long an engine can be too busy to remove something, and the pause before the next try (milliseconds). */
const BUSY_MS = 60_000;
const PAUSE_MS = 1_000;

/** Removes all containers (in any state), networks and volumes with this label. A busy engine fails to, and does it a moment later. */
export async function removeLabelled(label: string): Promise<void> {
  const deadline = performance.now() + BUSY_MS;
  for (;;) {
    try {
      return await removeOnce(label);
    } catch (error) {
      if (statusOf(error) === null || performance.now() > deadline) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

async function removeOnce(label: string): Promise<void> {
  const docker = await engine();
  const filters = { label: [label] };
  const containers = await docker.listContainers({ all: true, filters });
  await ignoreMissing(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  const networks = await docker.listNetworks({ filters });
  // An engine can keep the endpoint of a container that it has removed, until it is started again. Then it keeps the network (403).
  await ignoreMissing(
    networks.map(({ Id }) => docker.getNetwork(Id).remove()),
    [403],
  );
  const { Volumes } = await docker.listVolumes({ filters });
  await ignoreMissing(Volumes.map(({ Name }) => docker.getVolume(Name).remove()));
}

/**
 * Waits for removals. Another test run can remove the same objects: 404 (removed) and 409 (in removal) are no errors.
 *
 * @param also other statuses that are no errors.
 */
export async function ignoreMissing(
  removals: readonly Promise<unknown>[],
  also: readonly unknown[] = [],
): Promise<void> {
  for (const removal of await Promise.allSettled(removals)) {
    if (removal.status === 'fulfilled') continue;
    const { reason } = removal as { reason: unknown };
    const status = statusOf(reason);
    if (status !== 404 && status !== 409 && !also.includes(status)) throw reason;
  }
}

/** The status of the engine's answer; null for another error. */
const statusOf = (error: unknown): unknown =>
  error instanceof Error && 'statusCode' in error ? error.statusCode : null;
