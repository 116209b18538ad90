import type Dockerode from 'dockerode';

/** The timeout of {@link pause} (milliseconds). */
const PAUSE_TIMEOUT_MS = 10_000;

/**
 * Freezes all processes of a container. With cgroup v1 on a busy machine, runc gives up when a process of the container
 * is just starting another one (its freezer tries a thousand times, for a fifth of a second). Nothing is frozen then, and
 * this function tries again.
 */
export async function pause(container: Dockerode.Container): Promise<void> {
  const deadline = performance.now() + PAUSE_TIMEOUT_MS;
  for (;;) {
    try {
      await container.pause();
      return;
    } catch (error) {
      if (!String(error).includes('unable to freeze') || performance.now() > deadline) throw error;
    }
  }
}
