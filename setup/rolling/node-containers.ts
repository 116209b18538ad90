import Docker from 'dockerode';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const docker = new Docker();

const NUMBER = 'com.docker.compose.container-number';

/** What Compose compares, to tell whether a container is as it would make it now. */
const CONTENT = ['com.docker.compose.config-hash', 'com.docker.compose.image'] as const;

/** The container of a node. The name of a node follows from the name of its container. */
export interface NodeContainer {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A container as Compose would make one for a node now. It never starts, and is removed at the end. */
export interface Template extends AsyncDisposable {
  readonly id: string;
  isLike(node: NodeContainer): boolean;
}

/** The containers of the project's nodes, in the order of their numbers. */
export async function nodeContainers(): Promise<NodeContainer[]> {
  const project = process.env['COMPOSE_PROJECT_NAME'] || process.env['HOTCAST_PROJECT'] || 'hotcast';
  const label = [`com.docker.compose.project=${project}`, 'com.docker.compose.service=node'];
  const containers = await docker.listContainers({ all: true, filters: { label } });
  return containers
    .map(({ Id: id, Names: [name = ''], Labels: labels, State: state }) => ({ id, name: name.slice(1), state, labels }))
    .toSorted((a, b) => Number(a.labels[NUMBER]) - Number(b.labels[NUMBER]));
}

/** Has Compose create one container more. */
export async function templateOf(): Promise<Template> {
  const before = new Set((await nodeContainers()).map(({ id }) => id));
  const scale = `node=${before.size + 1}`;
  await run('docker', ['compose', 'create', '--no-build', '--no-recreate', '--scale', scale, 'node']);
  const created = (await nodeContainers()).find(({ id }) => !before.has(id));
  if (created === undefined) throw new Error('Compose has created no container of a node');
  const { id, labels } = created;
  return {
    id,
    isLike: node => CONTENT.every(label => node.labels[label] === labels[label]),
    [Symbol.asyncDispose]: () => docker.getContainer(id).remove({ force: true, v: true }) as Promise<void>,
  };
}

/**
 * Stops a node, which ends its calls first, and starts one like the template in its place. Compose can't: it stops all containers of
 * a service together, and numbers a new one after the last.
 */
export async function replaceNode({ id, name, labels }: NodeContainer, template: Template) {
  const old = docker.getContainer(id);
  const { Config, HostConfig, NetworkSettings } = await docker.getContainer(template.id).inspect();
  await old.stop(); // The container's own grace period.
  await old.remove({ v: true });
  const { Hostname: _, ...config } = Config;
  const networks = Object.keys(NetworkSettings.Networks).map(network => [network, { Aliases: [name, 'node'] }]);
  const replacement = await docker.createContainer({
    ...config,
    name,
    Labels: { ...config.Labels, [NUMBER]: labels[NUMBER] ?? '' },
    HostConfig,
    NetworkingConfig: { EndpointsConfig: Object.fromEntries(networks) as Docker.EndpointsConfig },
  });
  await replacement.start();
  return { id: replacement.id };
}
