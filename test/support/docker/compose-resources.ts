import type Dockerode from 'dockerode';

import { engine } from '../../../packages/testing/src/docker/engine.ts';

/** The label that Compose gives to everything it creates; its value is the project's name. */
export const PROJECT_LABEL = 'com.docker.compose.project';

/** The inspection result of each container of a Compose project. */
export async function inspectProject(project: string): Promise<Dockerode.ContainerInspectInfo[]> {
  const docker = await engine();
  const containers = await docker.listContainers({ all: true, filters: filtersOf(project) });
  return Promise.all(containers.map(({ Id }) => docker.getContainer(Id).inspect()));
}

/** The containers of a Compose project, by service. */
export async function containersOf(project: string): Promise<Map<string, Dockerode.Container>> {
  const docker = await engine();
  const found = await docker.listContainers({ all: true, filters: filtersOf(project) });
  return new Map(
    found.map(({ Id, Labels }) => [Labels['com.docker.compose.service'] ?? Id, docker.getContainer(Id)] as const),
  );
}

/** The containers of the nodes of a Compose project. */
export async function nodesOf(project: string): Promise<Dockerode.Container[]> {
  const docker = await engine();
  const label = [`${PROJECT_LABEL}=${project}`, 'com.docker.compose.service=node'];
  return (await docker.listContainers({ all: true, filters: { label } })).map(({ Id }) => docker.getContainer(Id));
}

/** The names of all containers, networks and volumes of a Compose project. */
export async function resourcesOf(project: string): Promise<string[]> {
  const docker = await engine();
  const filters = filtersOf(project);
  const containers = await docker.listContainers({ all: true, filters });
  const networks = await docker.listNetworks({ filters });
  const { Volumes } = await docker.listVolumes({ filters });
  return [...containers.flatMap(({ Names }) => Names), ...[...networks, ...Volumes].map(({ Name }) => Name)];
}

function filtersOf(project: string): { label: string[] } {
  return { label: [`${PROJECT_LABEL}=${project}`] };
}
