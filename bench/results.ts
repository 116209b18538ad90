import type { Costs } from './cost.ts';
import type { PushFigures } from './figures.ts';
import type { EditToLive } from './hotcast/edit-to-live.ts';
import type { Machine } from './machine.ts';
import type { Restarts } from './restarts/restarts.ts';
import type { ScaleRow } from './scale/measure-scale.ts';

/** What one run of the benchmark found; null for what it was not asked for. Times are milliseconds, sizes bytes. */
export interface Results {
  /** When it began, as an ISO time. */
  readonly at: string;
  readonly machine: Machine;
  /** OTP's release. */
  readonly otp: string | null;
  /** Containers in each fleet. */
  readonly nodes: number;
  readonly warmUp: number;
  readonly push: readonly PushFigures[] | null;
  readonly edit: EditToLive | null;
  readonly cost: Costs | null;
  readonly restarts: Restarts | null;
  readonly scale: Scale | null;
}

export interface Scale {
  /** Nodes that are simulated, many in a process, which share the work that is the same for all of them. */
  readonly simulated: readonly ScaleRow[];
  /** Nodes in containers: the fleet of the comparison, and a larger one. */
  readonly containers: readonly { readonly nodes: number; readonly push: PushFigures }[];
}

/** Names of contenders that others are compared with. */
export const HOTCAST = 'Hotcast';
export const ERLANG = 'Erlang multicall';
export const BARE = 'NATS round trip';
export const TWICE = 'NATS round trip, twice';

/** The figures of a contender's pushes of a size, if it took part. */
export function pushesOf({ push }: Results, contender: string, bytes: number): PushFigures | undefined {
  return push?.find(each => each.contender === contender && each.bytes === bytes);
}
