import { setTimeout as pause } from 'node:timers/promises';

import type Docker from 'dockerode';
import { sum } from 'simple-statistics';

import { processorTimes } from '../docker.ts';
import { type Hotcast, hotcastContender } from '../hotcast.ts';
import { mediansOf } from '../stats.ts';

/** Pushes after the first one, and after the one that follows the pause; they count as warm without the first few. */
const PUSHES = 15;
const NOT_WARM = 5;

/** How long the fleet has run when it gets its first push (milliseconds). */
const SETTLED_MS = 10_000;

export type Idle = Awaited<ReturnType<typeof measureIdle>>;

/** One push (milliseconds): its parts, and the processor time that it took of the controller, of NATS, and of a node. */
type Push = Readonly<Record<'ms' | 'prepare' | 'write' | 'commit' | 'controller' | 'nats' | 'node', number>>;

/** Pushes to a fleet that has just started, and again when nothing was pushed to it for some minutes. */
export async function measureIdle(docker: Docker, hotcast: Hotcast, bytes: number, minutes: number) {
  const { fleet } = hotcast;
  const services = {
    controller: await fleet.ids('controller'),
    nats: await fleet.ids('nats'),
    node: await fleet.ids('node'),
  };
  const contender = hotcastContender('', hotcast);
  const usage = async (): Promise<number[]> =>
    Promise.all(Object.values(services).map(async ids => sum(await processorTimes(docker, ids)) / ids.length));
  const push = async (): Promise<Push> => {
    const before = await usage();
    const { ms, phases } = await contender.push(bytes);
    const after = await usage();
    await pause(contender.pauseMs ?? 0);
    const [controller = NaN, nats = NaN, node = NaN] = after.map((each, index) => each - (before[index] ?? NaN));
    return { ms, ...(phases as Pick<Push, 'prepare' | 'write' | 'commit'>), controller, nats, node };
  };
  /** The first push, and the medians of later ones. */
  const pushes = async () => {
    const first = await push();
    const later: Push[] = [];
    for (let pushed = 0; pushed < PUSHES; pushed += 1) later.push(await push());
    return { first, later: mediansOf(later.slice(NOT_WARM)) };
  };
  await pause(SETTLED_MS);
  const started = await pushes();
  await pause(minutes * 60_000);
  return { minutes, started, rested: await pushes() };
}
