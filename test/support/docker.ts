import { createInterface } from 'node:readline';
import { PassThrough, Readable } from 'node:stream';

import type Dockerode from 'dockerode';
import { GenericContainer, getContainerRuntimeClient } from 'testcontainers';

/** Everything that a test makes in the engine carries this label; its value is the process that made it. */
export const TEST_LABEL = 'hotcast.test';

/** The engine that testcontainers found. */
export async function engine(): Promise<Dockerode> {
  return (await getContainerRuntimeClient()).container.dockerode;
}

/** A container with the hardening of docker-compose.yml, so that tests run what users run. */
export class HardenedContainer extends GenericContainer {
  constructor(image: string, name: string) {
    super(image);
    this.hostConfig = {
      ...this.hostConfig,
      Init: true,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Memory: 256 * 2 ** 20,
      PidsLimit: 512,
      RestartPolicy: { Name: 'unless-stopped' },
    };
    this.withName(name).withLabels({ [TEST_LABEL]: String(process.pid) });
  }

  /** Limits its memory to so many bytes. */
  withMemory(bytes: number): this {
    this.hostConfig.Memory = bytes;
    return this;
  }

  /** Keeps a folder in a volume of its own, which lives as long as the container. */
  withAnonymousVolume(path: string): this {
    this.createOpts.Volumes = { ...this.createOpts.Volumes, [path]: {} };
    return this;
  }

  /** Joins a network, where it is also found by a name that it shares with others. */
  withSharedName(network: string, name: string): this {
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [network]: { Aliases: [name] } } };
    return this.withNetworkMode(network);
  }

  /** Publishes a port on this machine only, under a number that is free. */
  withLoopbackPort(port: number): this {
    this.createOpts.ExposedPorts = { ...this.createOpts.ExposedPorts, [`${port}/tcp`]: {} };
    this.hostConfig.PortBindings = { [`${port}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] };
    return this;
  }
}

/** How long the engine may try to freeze a container (milliseconds). */
const FREEZING = 10_000;

/**
 * Freezes all processes of a container. On a busy machine with cgroup v1, runc gives up on one that is just starting
 * another process (its freezer tries a thousand times, for a fifth of a second): nothing is frozen then, and it is asked again.
 */
export async function pause(container: Dockerode.Container): Promise<void> {
  const deadline = performance.now() + FREEZING;
  for (;;) {
    try {
      await container.pause();
      return;
    } catch (error) {
      if (!String(error).includes('unable to freeze') || performance.now() > deadline) throw error;
    }
  }
}

/** Makes a bridge network. */
export async function createNetwork(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  const docker = await engine();
  await docker.createNetwork({ Name: name, Labels: { ...labels, [TEST_LABEL]: String(process.pid) } });
}

/** Removes containers, in whatever state they are, networks and volumes: all that carry the label. */
export async function removeLabelled(label: string): Promise<void> {
  const docker = await engine();
  const filters = { label: [label] };
  const containers = await docker.listContainers({ all: true, filters });
  await unlessGone(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  const networks = await docker.listNetworks({ filters });
  await unlessGone(networks.map(({ Id }) => docker.getNetwork(Id).remove()));
  const { Volumes } = await docker.listVolumes({ filters });
  await unlessGone(Volumes.map(({ Name }) => docker.getVolume(Name).remove()));
}

/** Another test run may be removing the same leftovers: they are gone (404), or just going (409). */
async function unlessGone(removals: readonly Promise<unknown>[]): Promise<void> {
  for (const removal of await Promise.allSettled(removals)) {
    if (removal.status === 'fulfilled') continue;
    const { reason } = removal as { reason: unknown };
    const status = reason instanceof Error && 'statusCode' in reason ? reason.statusCode : null;
    if (status !== 404 && status !== 409) throw reason;
  }
}

/** The name of this process's Compose project, so that its leftovers are known too. */
export const TEST_PROJECT = `hotcast-test-${process.pid}`;
const PROJECT_LABEL = 'com.docker.compose.project';

/** What the engine knows of each container of a Compose project. */
export async function inspectProject(project: string): Promise<Dockerode.ContainerInspectInfo[]> {
  const docker = await engine();
  const filters = { label: [`${PROJECT_LABEL}=${project}`] };
  const containers = await docker.listContainers({ all: true, filters });
  return Promise.all(containers.map(({ Id }) => docker.getContainer(Id).inspect()));
}

/** The containers of a Compose project, by service. */
export async function containersOf(project: string): Promise<Map<string, Dockerode.Container>> {
  const docker = await engine();
  const found = await docker.listContainers({ all: true, filters: { label: [`${PROJECT_LABEL}=${project}`] } });
  return new Map(
    found.map(({ Id, Labels }) => [Labels['com.docker.compose.service'] ?? Id, docker.getContainer(Id)] as const),
  );
}

/** What the engine has of a Compose project, by name. */
export async function resourcesOf(project: string): Promise<string[]> {
  const docker = await engine();
  const filters = { label: [`${PROJECT_LABEL}=${project}`] };
  const containers = await docker.listContainers({ all: true, filters });
  const networks = await docker.listNetworks({ filters });
  const { Volumes } = await docker.listVolumes({ filters });
  return [...containers.flatMap(({ Names }) => Names), ...[...networks, ...Volumes].map(({ Name }) => Name)];
}

/** Removes all that Compose made under a project's name, its images too. */
export async function removeProject(project: string): Promise<void> {
  await removeLabelled(`${PROJECT_LABEL}=${project}`);
  const docker = await engine();
  const tags = await imageTags(`${project}-*`);
  await unlessGone(tags.map(tag => docker.getImage(tag).remove()));
}

/** Removes what test processes that are no more left behind. */
export async function removeLeftovers(): Promise<void> {
  const docker = await engine();
  const filters = { label: [TEST_LABEL] };
  const found = [...(await docker.listContainers({ all: true, filters })), ...(await docker.listNetworks({ filters }))];
  for (const owner of new Set(found.flatMap(({ Labels }) => Labels?.[TEST_LABEL] ?? []))) {
    if (!isAlive(Number(owner))) await removeLabelled(`${TEST_LABEL}=${owner}`);
  }
  const tags = await imageTags('hotcast-test-*');
  for (const owner of new Set(tags.flatMap(tag => /^hotcast-test-(\d+)-/.exec(tag)?.[1] ?? []))) {
    if (!isAlive(Number(owner))) await removeProject(`hotcast-test-${owner}`);
  }
}

async function imageTags(reference: string): Promise<string[]> {
  const images = await (await engine()).listImages({ filters: { reference: [reference] } });
  return images.flatMap(({ RepoTags }) => RepoTags ?? []).filter(tag => !tag.startsWith('<none>'));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A log that is read at once is taken apart in pieces of this size (bytes). */
const PIECE = 65_536;

/** Lines of a container's log, and with `follow` those to come, until it stops or the signal comes. */
export async function* logLines(
  container: Dockerode.Container,
  { follow, signal }: { follow: boolean; signal: AbortSignal },
): AsyncGenerator<string, void, undefined> {
  const docker = await engine();
  const what = { stdout: true, stderr: true, abortSignal: signal };
  const text = new PassThrough();
  const source = Readable.from(
    follow ? await container.logs({ ...what, follow }) : pieces(await container.logs({ ...what, follow })),
  );
  docker.modem.demuxStream(source, text, text);
  // The signal ends the reading as the container's end does.
  source.once('end', () => text.end()).once('error', () => text.end());
  try {
    yield* createInterface({ input: text });
  } finally {
    source.destroy();
  }
}

/** What the engine gives at once, as it would come from a socket: dockerode calls itself for each line of a piece. */
function* pieces(bytes: Buffer): Generator<Buffer, void, undefined> {
  for (let from = 0; from < bytes.length; from += PIECE) yield bytes.subarray(from, from + PIECE);
}

/** What the engine told about a container, with its clock in milliseconds. */
export interface EngineEvent {
  readonly action: string;
  readonly at: number;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Listens to what the engine tells about a container from now on; ends with the signal. */
export async function engineEvents(
  container: string,
  signal: AbortSignal,
): Promise<AsyncGenerator<EngineEvent, void, undefined>> {
  const docker = await engine();
  const source = await docker.getEvents({ filters: { container: [container] }, abortSignal: signal });
  source.on('error', () => undefined); // That is how the signal ends it.
  return eventsIn(Readable.from(source));
}

async function* eventsIn(source: Readable): AsyncGenerator<EngineEvent, void, undefined> {
  try {
    for await (const line of createInterface({ input: source })) {
      const { Action, timeNano, Actor } = JSON.parse(line) as {
        Action: string;
        timeNano: number;
        Actor: { Attributes: Record<string, string> };
      };
      yield { action: Action, at: timeNano / 1e6, attributes: Actor.Attributes };
    }
  } finally {
    source.destroy();
  }
}

/** Runs a container of an image to its end; gives its exit code and what it logged. */
export async function runToEnd(
  image: string,
  options: Pick<Dockerode.ContainerCreateOptions, 'Cmd' | 'Entrypoint' | 'Env' | 'HostConfig' | 'User'>,
): Promise<{ exitCode: number; lines: string[] }> {
  const docker = await engine();
  const labels = { [TEST_LABEL]: String(process.pid) };
  const container = await docker.createContainer({ ...options, Image: image, Labels: labels });
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    const lines: string[] = [];
    const reading = { follow: false, signal: AbortSignal.timeout(30_000) };
    for await (const line of logLines(container, reading)) lines.push(line);
    return { exitCode: StatusCode, lines };
  } finally {
    await container.remove({ force: true, v: true });
  }
}
