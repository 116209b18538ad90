import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { connect } from '@nats-io/transport-node';
import Docker from 'dockerode';

import { agentOf, agentsRoster } from '../../../controller/src/services/roster/agents.ts';
import { ComposeRoster } from '../../../controller/src/services/roster/compose.ts';
import { createRosterService } from '../../../controller/src/services/roster/create-roster-service.ts';
import { agentQuestions } from '../../../controller/src/services/roster/questions.ts';
import { swarmRoster } from '../../../controller/src/services/roster/swarm.ts';
import { createNetwork, engine, TEST_LABEL } from '../../../packages/testing/src/docker/engine.ts';
import { removeLabelled } from '../../../packages/testing/src/docker/remove-labelled.ts';
import { NatsServer } from '../../support/console/nats-server.ts';
import { projectImage } from '../../support/cluster/project-image.ts';
import { rosterContract, type RosterWorld } from '../../support/roster/roster-contract.ts';
import { recordingLog } from '../../unit/fixtures.ts';

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

/** The containers of another machine, whose agent answers over NATS. */
async function agentWorld(): Promise<RosterWorld> {
  const world = await composeWorld();
  const server = await NatsServer.start('');
  const log = recordingLog();
  const connectTo = () => connect({ servers: server.url });
  const healthFile = join(tmpdir(), `hotcast-agent-${process.pid}`);
  const questions = agentQuestions('dino', 'b', world.roster);
  const agent = await createRosterService({
    nats: await connectTo(),
    roster: world.roster,
    questions,
    healthFile,
    log,
  });
  const nats = await connectTo();
  const own = new ComposeRoster(await engine(), [`${TEST_LABEL}.none=${process.pid}`], 'hotcast');
  const roster = agentsRoster([
    { name: 'hub', roster: own },
    { name: 'b', roster: agentOf(nats, 'dino', 'b') },
  ]);
  return {
    ...world,
    roster,
    server: 'b',
    [Symbol.asyncDispose]: async () => {
      roster[Symbol.dispose]();
      await agent[Symbol.asyncDispose]();
      await nats.close();
      await server[Symbol.asyncDispose]();
      rmSync(healthFile, { force: true });
      await world[Symbol.asyncDispose]();
    },
  };
}

rosterContract('one engine', composeWorld);
rosterContract('the agent of another machine', agentWorld);
if (SWARM_SOCKET !== undefined) rosterContract('Docker Swarm', () => swarmWorld(SWARM_SOCKET));
