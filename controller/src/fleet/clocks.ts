import type { NodeDescription } from '../../../protocol/messages.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { Membership } from './membership.ts';
import type { Timed } from './scatter-gather.ts';

/** From this difference on it is worth a warning (milliseconds). Nothing that happens depends on it. */
const MAX_OFFSET_MS = 1_000;

/** How far the clocks of the controller and of nodes are ahead of NATS's, milliseconds; negative: behind. */
export interface ClockOffsets {
  readonly controller: number;
  readonly nodes: ReadonlyMap<string, number>;
}

/**
 * The offsets of clocks, from the descriptions that nodes have answered. A description is as old as half of its round trip, so no
 * offset is more exact than that, and what is smaller counts as none.
 *
 * @param askedAt when the nodes were asked, by the controller's clock.
 * @param natsOffset how far NATS's clock is ahead of the controller's (milliseconds).
 */
export function clockOffsets(
  answers: ReadonlyMap<string, Timed<NodeDescription>>,
  askedAt: number,
  natsOffset: number,
): ClockOffsets {
  const nodes = [...answers].flatMap(([node, { answer, ms }]) => {
    if (answer.clock === undefined) return [];
    const toController = answer.clock - (askedAt + ms / 2);
    const exact = Math.abs(toController) <= ms / 2 ? 0 : toController;
    return [[node, wholeMs(exact - natsOffset)] as const];
  });
  return { controller: wholeMs(-natsOffset), nodes: new Map(nodes) };
}

/** Rounded, and without a negative zero. */
function wholeMs(ms: number): number {
  return Math.round(ms) + 0;
}

/** A sentence for each clock that is more than a second off. */
export function clockWarnings({ controller, nodes }: ClockOffsets): string[] {
  const all = [['the controller', controller] as const, ...nodes];
  return all.flatMap(([who, ms]) => {
    if (Math.abs(ms) <= MAX_OFFSET_MS) return [];
    const side = ms > 0 ? 'ahead of' : 'behind';
    return `the clock of ${who} is ${(Math.abs(ms) / 1_000).toFixed(1)} s ${side} that of NATS: the times that it writes are wrong, and nothing else`;
  });
}

/**
 * Logs when the clock of a node begins to differ from this controller's, and when it does not any more. One heartbeat that is
 * late is not enough.
 */
export function logClocks(membership: Pick<Membership, 'onEvent'>, log: Logger, now: () => number = Date.now): void {
  /** The nodes whose last heartbeat was off, and whether that was logged. */
  const off = new Map<string, boolean>();
  membership.onEvent((kind, { node, clock }) => {
    if (kind !== 'heartbeat' || clock === undefined) return;
    const offsetMs = Math.round(clock - now());
    const isOff = Math.abs(offsetMs) > MAX_OFFSET_MS;
    const isLogged = off.get(node);
    if (isOff && isLogged === false) log.warn({ node, offsetMs }, "the clock of a node differs from the controller's");
    if (!isOff && isLogged === true)
      log.info({ node, offsetMs }, "the clock of a node agrees with the controller's again");
    if (isOff) off.set(node, isLogged !== undefined);
    else off.delete(node);
  });
}
