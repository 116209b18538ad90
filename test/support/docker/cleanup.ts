import { engine, TEST_LABEL } from './engine.ts';
import { PROJECT_LABEL } from './compose-resources.ts';

/** Removes all containers (in any state), networks and volumes with this label. */
export async function removeLabelled(label: string): Promise<void> {
  const docker = await engine();
  const filters = { label: [label] };
  const containers = await docker.listContainers({ all: true, filters });
  await ignoreMissing(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  const networks = await docker.listNetworks({ filters });
  await ignoreMissing(networks.map(({ Id }) => docker.getNetwork(Id).remove()));
  const { Volumes } = await docker.listVolumes({ filters });
  await ignoreMissing(Volumes.map(({ Name }) => docker.getVolume(Name).remove()));
}

/** Removes everything that Compose created for a project, its images too. */
export async function removeProject(project: string): Promise<void> {
  await removeLabelled(`${PROJECT_LABEL}=${project}`);
  const docker = await engine();
  const tags = await imageTags(`${project}-*`);
  await ignoreMissing(tags.map(tag => docker.getImage(tag).remove()));
}

/** Removes what test processes that have ended left behind. */
export async function removeLeftovers(): Promise<void> {
  const docker = await engine();
  const filters = { label: [TEST_LABEL] };
  const found = [...(await docker.listContainers({ all: true, filters })), ...(await docker.listNetworks({ filters }))];
  for (const owner of new Set(found.flatMap(({ Labels }) => Labels?.[TEST_LABEL] ?? []))) {
    if (!isProcessAlive(Number(owner))) await removeLabelled(`${TEST_LABEL}=${owner}`);
  }
  const tags = await imageTags('hotcast-test-*');
  for (const owner of new Set(tags.flatMap(tag => /^hotcast-test-(\d+)-/.exec(tag)?.[1] ?? []))) {
    if (!isProcessAlive(Number(owner))) await removeProject(`hotcast-test-${owner}`);
  }
}

/** Waits for removals. Another test run can remove the same objects: 404 (removed) and 409 (in removal) are no errors. */
async function ignoreMissing(removals: readonly Promise<unknown>[]): Promise<void> {
  for (const removal of await Promise.allSettled(removals)) {
    if (removal.status === 'fulfilled') continue;
    const { reason } = removal as { reason: unknown };
    const status = reason instanceof Error && 'statusCode' in reason ? reason.statusCode : null;
    if (status !== 404 && status !== 409) throw reason;
  }
}

async function imageTags(reference: string): Promise<string[]> {
  const images = await (await engine()).listImages({ filters: { reference: [reference] } });
  return images.flatMap(({ RepoTags }) => RepoTags ?? []).filter(tag => !tag.startsWith('<none>'));
}

function isProcessAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
