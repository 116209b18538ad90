import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Logger } from '../../../shared/logger.ts';
import { orNullAfter } from '../../../shared/timeout.ts';

/** What a node can load again from the stream, and what of it is about to be removed. */
export const PACKAGES = 'packages';
const REMOVED = 'removed';

/** How long the stop of a node can take for the removal (milliseconds). What is left is removed at the next start. */
const REMOVAL_TIMEOUT_MS = 1_000;

/** The folder for what a node keeps over a restart of its container. */
export interface StateFolder {
  readonly path: string;
  /** Removes what the node does not need to remember: nothing is left of a container that was stopped and is removed then. */
  readonly leave: () => Promise<void>;
}

/**
 * The full id of the container, from `/proc/self/mountinfo`; null outside of one. The engine mounts some files of its folder.
 */
export function containerIdIn(mountInfo: string): string | null {
  return /\/([0-9a-f]{64})(?:\/userdata)?\/(?:hostname|hosts|resolv\.conf) /.exec(mountInfo)?.[1] ?? null;
}

/**
 * Opens this container's own folder in one that all nodes share. Its name is the container's full id. A node tells others the
 * first 12 digits only, and the shared folder can't be listed: so no node finds the folder of another.
 *
 * @param id the full id of the container; null if all of `shared` belongs to this node.
 */
export async function openStateFolder(
  shared: string,
  log: Logger,
  id: string | null = containerIdIn(readMountInfo()),
): Promise<StateFolder> {
  const path = id === null ? shared : join(shared, id);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    await rm(join(path, REMOVED), { recursive: true, force: true });
  } catch (error) {
    log.warn({ err: error, path }, 'nothing can be kept over a restart of this container');
  }
  const leave = async (): Promise<void> => {
    // Half of the packages would be taken for all of them.
    if (existsSync(join(path, PACKAGES))) renameSync(join(path, PACKAGES), join(path, REMOVED));
    await orNullAfter(REMOVAL_TIMEOUT_MS, rm(join(path, REMOVED), { recursive: true, force: true }));
    // It has files if the node has to remember something.
    if (id !== null) rmdirSync(path);
  };
  return { path, leave: () => leave().catch(() => undefined) };
}

function readMountInfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
