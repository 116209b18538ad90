import Docker from 'dockerode';

import type { RosterAnswer } from '../../../protocol/messages.ts';

/** Asks the engine for the containers with all the given labels (`key=value`), in whatever state they are. */
export async function listContainers(docker: Docker, labels: readonly string[]): Promise<RosterAnswer> {
  try {
    const containers = await docker.listContainers({ all: true, filters: { label: [...labels] } });
    return {
      status: 'containers',
      containers: containers.map(({ Id, Names, State, Created }) => ({
        id: Id.slice(0, 12),
        name: (Names[0] ?? Id).replace(/^\//, ''),
        state: State,
        createdAt: Created * 1_000,
      })),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: 'unavailable', detail: `the roster can't ask the Docker engine (${reason})` };
  }
}
