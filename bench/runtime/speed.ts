import { CodeServer } from '../../node-image/src/modules/code-server.ts';
import { decodeBundle, encodeBundle } from '../../protocol/bundle.ts';
import { withCache } from './cached.ts';
import { GeneratedModule } from './generated.ts';
import { silent } from './silent.ts';

export const SIZES = [1, 10, 100, 700] as const;

/** A part of this is warm-up. */
const ROUNDS = 120;
const WARM_UP = 20;

/** How long (milliseconds) the parts of each swap took. */
export interface SwapTimes {
  readonly kilobytes: number;
  readonly cached: boolean;
  /** Bytes on the wire. */
  packed: number;
  /** To make the code cache, once, where the module is compiled. */
  readonly make: number[];
  /** Unpack, verify and compile. */
  readonly prepare: number[];
  /** Evaluate and switch. */
  readonly activate: number[];
  /** From the start of the activation until the event loop comes to its next task. */
  readonly blocked: number[];
}

/** Swaps modules of several sizes with and without a code cache, taking turns. */
export async function measureSpeed(): Promise<SwapTimes[]> {
  const contenders = SIZES.flatMap(kilobytes =>
    [false, true].map(cached => ({
      generated: new GeneratedModule(kilobytes * 1024),
      server: new CodeServer(silent),
      times: { kilobytes, cached, packed: 0, make: [], prepare: [], activate: [], blocked: [] } as SwapTimes,
    })),
  );
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const { generated, server, times } of contenders) {
      const { packed, make, prepare, activate, blocked } = await swap(generated, server, round, times.cached);
      if (round <= WARM_UP) continue;
      times.packed = packed;
      times.make.push(make);
      times.prepare.push(prepare);
      times.activate.push(activate);
      times.blocked.push(blocked);
    }
  }
  return contenders.map(({ times }) => times);
}

async function swap(generated: GeneratedModule, server: CodeServer, round: number, cached: boolean) {
  const bundle = generated.bundle(round);
  const making = performance.now();
  const whole = cached ? withCache(bundle) : bundle;
  const make = performance.now() - making;
  const packed = encodeBundle(whole);
  await new Promise(setImmediate);

  const start = performance.now();
  const prepared = server.prepare(decodeBundle(packed));
  const prepare = performance.now() - start;
  // Between the two, a node waits for the head.
  await new Promise(resolve => setTimeout(resolve, 1));

  const { module, revision } = bundle;
  const committed = performance.now();
  const next = new Promise<number>(resolve => setImmediate(() => resolve(performance.now() - committed)));
  const outcome = server.commit([{ module, revision, sequence: round, force: false }]);
  const activate = performance.now() - committed;
  const blocked = await next;
  if (prepared.status !== 'ok' || outcome.status !== 'ok') throw new TypeError('the version was not loaded');
  return { packed: packed.length, make, prepare, activate, blocked };
}
