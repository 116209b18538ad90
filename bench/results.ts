import type { CallFigures } from './calls/calls.ts';
import type { ConsoleCost } from './parts/console.ts';
import type { describeMachine, idleCost, wireCost } from './docker.ts';
import type { Joining } from './parts/joining.ts';
import type { Idle } from './parts/idle.ts';
import type { EditToLive } from './parts/edit.ts';
import type { HttpFigures } from './http/http.ts';
import type { Restarts } from './restarts/restarts.ts';
import type { PushFigures } from './rounds.ts';
import type { ScaleRow } from './scale/scale.ts';
import type { TailCost } from './parts/tail.ts';
import type { PushWork } from './parts/work.ts';

/** The findings of one run; null for a part that was not asked for. Times are milliseconds, sizes bytes. */
export interface Results {
  /** The start of the run, as an ISO time. */
  readonly at: string;
  readonly machine: Awaited<ReturnType<typeof describeMachine>>;
  /** OTP's release. */
  readonly otp: string | null;
  /** Containers in each fleet. */
  readonly nodes: number;
  readonly warmUp: number;
  readonly http: HttpFigures | null;
  readonly calls: CallFigures | null;
  readonly push: readonly PushFigures[] | null;
  readonly work: readonly PushWork[] | null;
  readonly joining: Joining | null;
  readonly edit: EditToLive | null;
  readonly tail: TailCost | null;
  readonly console: ConsoleCost | null;
  readonly cost: readonly FleetCost[] | null;
  readonly restarts: Restarts | null;
  /** Nodes in containers (the fleet of the comparison, and a larger one), and simulated nodes. */
  readonly scale: {
    readonly containers: readonly { readonly nodes: number; readonly push: PushFigures }[];
    readonly simulated: readonly ScaleRow[];
  } | null;
  readonly idle: Idle | null;
}

export interface FleetCost {
  readonly contender: string;
  readonly idle: Awaited<ReturnType<typeof idleCost>>;
  /** From no container until all nodes answered. */
  readonly startMs: number;
  /** The first push of these processes. */
  readonly firstMs: number;
  readonly wire: Awaited<ReturnType<typeof wireCost>>;
}

/** The size of code that targets are about (bytes). */
export const TARGET_BYTES = 10_240;

/** Names of contenders that others are compared with. */
export const HOTCAST = 'Hotcast';
export const OLDER = 'Hotcast of the other checkout';
export const ERLANG = 'Erlang multicall';
export const BARE = 'NATS round trip';
export const TWICE = 'NATS round trip, twice';

/** The figures of a contender's pushes of a size. */
export function pushesOf({ push }: Pick<Results, 'push'>, contender: string, bytes: number): PushFigures | undefined {
  return push?.find(each => each.contender === contender && each.bytes === bytes);
}
