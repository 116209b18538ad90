import { setTimeout as pause } from 'node:timers/promises';

import Docker from 'dockerode';

import { idleCost, processorTimes } from '../docker.ts';
import { type Hotcast, hotcastContender } from '../hotcast.ts';
import { figuresOf } from '../stats.ts';

/** The port of a node's metrics. */
const METRICS_PORT = 9465;

/** How long a console that was paused needs for what it has missed, and nodes for what a push leaves (milliseconds). */
const SETTLE_MS = 1_000;

/** After the engine's statistics are read, it rests so long before a push (milliseconds). */
const AFTER_READING_MS = 200;

/** What is on while it pushes. Metrics are read some time before: Prometheus does so every 15 seconds, so mostly between pushes. */
const SETTINGS = {
  /** Nothing: the console is paused. */
  without: { console: false, metrics: false, looking: false },
  metrics: { console: false, metrics: true, looking: false },
  alone: { console: true, metrics: false, looking: false },
  /** All of it: somebody looks. */
  shown: { console: true, metrics: true, looking: true },
} as const;

type Setting = keyof typeof SETTINGS;

export type ConsoleCost = Awaited<ReturnType<typeof measureConsole>>;

/** Pushes with one setting after the other, each round in another order. Then the processor time of the console while nothing happens. */
export async function measureConsole(hotcast: Hotcast, bytes: number, rounds: number, warmUp: number) {
  const docker = new Docker();
  const { fleet } = hotcast;
  const id = await fleet.id('console');
  const container = docker.getContainer(id);
  const url = `http://${(await fleet.compose('port', 'console', '8090')).trim()}`;
  const addresses = await Promise.all((await fleet.ids('node')).map(each => addressOf(docker, each)));
  const metrics = addresses.map(address => `http://${address}:${METRICS_PORT}/metrics`);
  const pusher = hotcastContender('Hotcast', hotcast);

  const work = async (): Promise<number> => (await processorTimes(docker, [id]))[0] ?? NaN;
  const push = async (): Promise<Turn> => {
    await pause(SETTLE_MS);
    const before = await work();
    await pause(AFTER_READING_MS);
    const { ms } = await pusher.push(bytes);
    return { ms, work: (await work()) - before };
  };
  let isRunning = true;
  const run = async (on: boolean): Promise<void> => {
    if (on !== isRunning) await (on ? container.unpause() : container.pause());
    isRunning = on;
  };
  const turn = async ({ console, metrics: reads, looking }: (typeof SETTINGS)[Setting]): Promise<Turn> => {
    await run(console);
    if (reads) await Promise.all([...metrics, ...(console ? [`${url}/metrics`] : [])].map(read));
    return looking ? await whileLooking(url, push) : await push();
  };

  const names = Object.keys(SETTINGS) as Setting[];
  const turns: Record<Setting, Turn[]> = { without: [], metrics: [], alone: [], shown: [] };
  for (let round = -warmUp; round < rounds; round += 1) {
    const first = (round + warmUp) % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const taken = await turn(SETTINGS[name]);
      if (round >= 0) turns[name].push(taken);
    }
  }
  await run(true);
  await hotcast.clear();
  await pause(SETTLE_MS);
  const idleCores = async (): Promise<number> => (await idleCost(docker, [id], `${fleet.project}-console`)).cpu.p50;
  return {
    without: figuresOfTurns(turns.without),
    metrics: figuresOfTurns(turns.metrics),
    alone: figuresOfTurns(turns.alone),
    shown: figuresOfTurns(turns.shown),
    /** Cores. */
    idle: { alone: await idleCores(), looking: await whileLooking(url, idleCores) },
  };
}

/** A push, and the processor time of the console from a moment before it until its end (milliseconds). */
interface Turn {
  readonly ms: number;
  readonly work: number;
}

function figuresOfTurns(turns: readonly Turn[]) {
  return { ...figuresOf(turns.map(({ ms }) => ms)), work: figuresOf(turns.map(({ work }) => work)).p50 };
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
