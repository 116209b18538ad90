import type { Answer, Driver } from '../driver.ts';
import type { Fleet } from '../fleet.ts';
import type { Contender, PushSample } from '../rounds.ts';
import { run } from '../run.ts';

/**
 * Connects the BEAM that pushes to every other one.
 *
 * @returns OTP's release, such as `27`.
 * @throws Error when a node cannot be reached within 30 s.
 */
export async function connectNodes(fleet: Fleet, driver: Driver, nodes: number): Promise<string> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const addresses = await run('docker', ['inspect', '--format', format, ...(await fleet.ids('node'))]);
  const { nodes: connected, release } = await driver.order('connect', ...addresses.trim().split('\n'));
  if (connected !== nodes) throw new Error(`only ${String(connected)} of ${nodes} BEAM nodes are up`);
  return String(release);
}

/** A contender whose pushes are an order to a driver, which times them. To add one, also add the order to the driver. */
export function drivenContender(
  driver: Driver,
  name: string,
  order: string,
  sample: (answer: Answer) => PushSample = bareSample,
): Contender {
  return { name, push: async bytes => sample(await driver.order(order, bytes)) };
}

/** The ways to push with Erlang; erlang/driver.erl times each. */
export function erlangContenders(driver: Driver): readonly [Contender, ...Contender[]] {
  return [
    drivenContender(driver, 'Erlang multicall', 'multicall', multicallSample),
    drivenContender(driver, 'Erlang nl and polling', 'nl', nlSample),
    drivenContender(driver, 'Erlang bare round trip', 'bare'),
  ];
}

/** Phases of the fleet: until the first node has the code, until the last node runs it, until every answer is there. */
export function multicallSample({ took, arrived, switched }: Answer): PushSample {
  const ms = milliseconds(took);
  const first = Math.min(...times(arrived));
  const last = Math.max(...times(switched));
  const skew = last - Math.min(...times(switched));
  return { ms, skew, phases: { deliver: first, load: last - first, answer: ms - last } };
}

/** The time of each node's switch is unknown. */
export function nlSample({ took, sent }: Answer): PushSample {
  const [ms, send] = [milliseconds(took), milliseconds(sent)];
  return { ms, skew: null, phases: { send, poll: ms - send } };
}

/** Of a bare round trip, by Erlang or NATS. */
function bareSample({ took }: Answer): PushSample {
  return { ms: milliseconds(took), skew: null, phases: {} };
}

function milliseconds(microseconds: unknown): number {
  if (typeof microseconds !== 'number') throw new TypeError('the driver told no time');
  return microseconds / 1_000;
}

function times(microseconds: unknown): number[] {
  if (!Array.isArray(microseconds)) throw new TypeError('the driver told no times');
  return microseconds.map(milliseconds);
}
