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
