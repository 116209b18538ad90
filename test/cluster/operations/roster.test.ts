import { setTimeout as sleep } from 'node:timers/promises';

import Docker from 'dockerode';

import { ComposeRoster } from '../../../controller/src/services/roster/compose.ts';
import { swarmRoster } from '../../../controller/src/services/roster/swarm.ts';
import { createNetwork, engine, TEST_LABEL } from '../../../packages/testing/src/docker/engine.ts';
import { removeLabelled } from '../../../packages/testing/src/docker/remove-labelled.ts';
import { projectImage } from '../../support/cluster/project-image.ts';
import { rosterContract, type RosterWorld } from '../../support/roster/roster-contract.ts';

/** A process that does nothing, and ends when it is told to. */
const IDLE = ['node', '-e', "process.on('SIGTERM', () => process.exit()); setInterval(() => undefined, 1e6)"];

/** Removes a network that nothing is on. */
async function isRemoved(network: Docker.Network): Promise<boolean> {
  try {
    await network.remove();
    return true;
  } catch {
    return false;
  }
}

/** Containers as Compose calls and labels them. */
async function composeWorld(): Promise<RosterWorld> {
  const docker = await engine();
  const project = `hotcast-roster-${process.pid}`;
  const label = `${TEST_LABEL}.roster`;
  const labels = { [TEST_LABEL]: String(process.pid), [label]: project };
  await createNetwork(project, { [label]: project });
  const roster = new ComposeRoster(docker, [`${label}=${project}`], project);
  void roster.follow();
  const containers: Docker.Container[] = [];
  return {
    roster,
    scale: async replicas => {
      while (containers.length < replicas) {
        const container = await docker.createContainer({
          name: `${project}-node-${containers.length + 1}`,
          Image: projectImage('node'),
          Entrypoint: IDLE,
          Labels: labels,
          HostConfig: { NetworkMode: project },
        });
        containers.push(container);
        await container.start();
      }
      for (const container of containers.splice(replicas)) await container.remove({ force: true });
    },
    kill: async replica => {
      await containers[replica - 1]?.kill();
      await containers[replica - 1]?.start();
    },
    [Symbol.asyncDispose]: async () => {
      roster[Symbol.dispose]();
      await removeLabelled(`${label}=${project}`);
    },
  };
}

/**
 * The socket of an engine that manages a swarm, for this test alone: to leave a swarm breaks the DNS of other containers of the engine,
 * so no test makes this engine join one. It has the image of the nodes.
 */
const SWARM_SOCKET = process.env['SWARM_SOCKET'];

/** A service of a swarm. */
async function swarmWorld(socketPath: string): Promise<RosterWorld> {
  const docker = new Docker({ socketPath });
  const project = `roster${process.pid}`;
  const label = `${TEST_LABEL}.swarm`;
  const labels = { [TEST_LABEL]: String(process.pid), [label]: project };
  const network = await docker.createNetwork({
    Name: project,
    Driver: 'overlay',
    Labels: labels,
  });
  // By its id: a swarm asks a registry for what a name means.
  const { Id: image } = await docker.getImage(projectImage('node')).inspect();
  const spec = (replicas: number) => ({
    Name: `${project}_node`,
    Labels: { [label]: project },
    TaskTemplate: {
      ContainerSpec: { Image: image, Command: IDLE, Labels: labels },
      Networks: [{ Target: network.id }],
      RestartPolicy: { Condition: 'any', Delay: 100_000_000 },
    },
    Mode: { Replicated: { Replicas: replicas } },
  });
  const service = await docker.createService(spec(0));
  const roster = swarmRoster(docker, [`${label}=${project}`], project);
  return {
    roster,
    scale: async replicas => {
      const { Version } = (await service.inspect()) as { Version: { Index: number } };
      await service.update({ ...spec(replicas), version: Version.Index });
    },
    kill: async replica => {
      const state = await roster.membersNow();
      const members = state.status === 'members' ? state.members : [];
      const id = members.find(({ name }) => name.startsWith(`${project}_node.${replica}.`))?.id ?? '';
      await docker.getContainer(id).kill();
    },
    [Symbol.asyncDispose]: async () => {
      await service.remove();
      // Its tasks are on the network until they have ended.
      const deadline = performance.now() + 20_000;
      while (!(await isRemoved(network)) && performance.now() < deadline) await sleep(100);
    },
  };
}

rosterContract('one engine', composeWorld);
if (SWARM_SOCKET !== undefined) rosterContract('Docker Swarm', () => swarmWorld(SWARM_SOCKET));
