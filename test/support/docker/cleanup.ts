import { engine, TEST_LABEL } from '../../../packages/testing/src/docker/engine.ts';
import { ignoreMissing, removeLabelled } from '../../../packages/testing/src/docker/remove-labelled.ts';
import { PROJECT_LABEL } from './compose-resources.ts';

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
