import { setTimeout as pause } from 'node:timers/promises';

import Docker from 'dockerode';

import { idleCost } from '../docker.ts';
import { type Hotcast, hotcastContender } from '../hotcast.ts';
import { figuresOf } from '../stats.ts';

/** The port of a node's metrics. */
const METRICS_PORT = 9465;

/** How long a console that was paused needs for what it has missed (milliseconds). */
const CAUGHT_UP_MS = 2_000;

export type ConsoleCost = Awaited<ReturnType<typeof measureConsole>>;

/**
 * Pushes in turns without a console, and with one at which somebody looks; before these, the metrics of the fleet and of all nodes are
 * read. Then the processor time of the console while nothing happens.
 */
export async function measureConsole(hotcast: Hotcast, bytes: number, rounds: number, warmUp: number) {
  const docker = new Docker();
  const { fleet } = hotcast;
  const id = await fleet.id('console');
  const container = docker.getContainer(id);
  const url = `http://${(await fleet.compose('port', 'console', '8090')).trim()}`;
  const addresses = await Promise.all((await fleet.ids('node')).map(each => addressOf(docker, each)));
  const metrics = [`${url}/metrics`, ...addresses.map(address => `http://${address}:${METRICS_PORT}/metrics`)];
  const pusher = hotcastContender('Hotcast', hotcast);
  const push = async (): Promise<number> => (await pusher.push(bytes)).ms;
  const idleCores = async (): Promise<number> => (await idleCost(docker, [id], `${fleet.project}-console`)).cpu.p50;

  const [without, shown]: [number[], number[]] = [[], []];
  for (let round = -warmUp; round < rounds; round += 1) {
    await container.pause();
    without.push(await push());
    await container.unpause();
    await pause(CAUGHT_UP_MS);
    // As Prometheus does every 15 seconds, between pushes mostly.
    await Promise.all(metrics.map(read));
    shown.push(await whileLooking(url, push));
    await pause(pusher.pauseMs);
  }
  await hotcast.clear();
  await pause(CAUGHT_UP_MS);
  return {
    without: figuresOf(without.slice(warmUp)),
    shown: figuresOf(shown.slice(warmUp)),
    /** Cores. */
    idle: { alone: await idleCores(), looking: await whileLooking(url, idleCores) },
  };
}

/** Follows the events of the page meanwhile, as a browser does. */
async function whileLooking<T>(url: string, body: () => Promise<T>): Promise<T> {
  const leaving = new AbortController();
  const events = await fetch(`${url}/events`, { signal: leaving.signal });
  const reading = events.body?.pipeTo(new WritableStream()).catch(() => undefined);
  try {
    return await body();
  } finally {
    leaving.abort();
    await reading;
  }
}

async function read(url: string): Promise<void> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  await response.text();
}

/** The address of a container in its only network. */
async function addressOf(docker: Docker, id: string): Promise<string> {
  const { NetworkSettings } = await docker.getContainer(id).inspect();
  return Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '';
}
