import type Docker from 'dockerode';

const PROJECT = 'com.docker.compose.project';
const SERVICE = 'com.docker.compose.service';

/** The running containers of a service of a Compose project, by id. */
export async function containersOf(docker: Docker, project: string, service: string): Promise<string[]> {
  const label = [`${PROJECT}=${project}`, `${SERVICE}=${service}`];
  return (await docker.listContainers({ filters: { label } })).map(({ Id }) => Id);
}

/** Removes all containers, networks and volumes with one of these labels, whatever state they are in. */
export async function removeLabelled(docker: Docker, labels: readonly string[]): Promise<void> {
  for (const label of labels) {
    const filters = { label: [label] };
    const containers = await docker.listContainers({ all: true, filters });
    await Promise.allSettled(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
    const networks = await docker.listNetworks({ filters });
    await Promise.allSettled(networks.map(({ Id }) => docker.getNetwork(Id).remove()));
    const { Volumes } = await docker.listVolumes({ filters });
    await Promise.allSettled(Volumes.map(({ Name }) => docker.getVolume(Name).remove()));
  }
}

/** What marks all that belongs to a Compose project. */
export function projectLabel(project: string): string {
  return `${PROJECT}=${project}`;
}
