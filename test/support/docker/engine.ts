import type Dockerode from 'dockerode';
import { getContainerRuntimeClient } from 'testcontainers';

/** The label of everything that a test creates in Docker. Its value is the id of the process that created it. */
export const TEST_LABEL = 'hotcast.test';

/** The Docker engine that testcontainers found. */
export async function engine(): Promise<Dockerode> {
  return (await getContainerRuntimeClient()).container.dockerode;
}

/** Creates a bridge network. */
export async function createNetwork(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  const docker = await engine();
  await docker.createNetwork({ Name: name, Labels: { ...labels, [TEST_LABEL]: String(process.pid) } });
}

/** Creates a volume. */
export async function createVolume(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  const docker = await engine();
  await docker.createVolume({ Name: name, Labels: { ...labels, [TEST_LABEL]: String(process.pid) } });
}

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
