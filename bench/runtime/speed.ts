import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';

import { type Bundle, decodeBundle, encodeBundle } from '../../protocol/bundle.ts';
import { type Column, goals, section, table } from '../table.ts';
import { GeneratedModule } from './generated.ts';
import { commit, latencyOf, silentServer, withCache } from './node.ts';

const SIZES = [1, 10, 100, 700];
const SAMPLES = 100;

/** The activation of a 100 KB module blocks the event loop for less than this (milliseconds). */
const MAX_BLOCK_MS = 0.5;

/** Swaps modules of several sizes with and without a code cache. */
export async function speedReport(): Promise<string> {
  const rows: Awaited<ReturnType<typeof measureSwaps>>[] = [];
  for (const kilobytes of SIZES) for (const cached of [false, true]) rows.push(await measureSwaps(kilobytes, cached));
  const parts = ['make cache', 'prepare', 'activate', 'loop blocked'] as const;
  const columns = parts.flatMap((part): Column<(typeof rows)[number]>[] => [
    [part, row => row[part]?.p50],
    ['p99', row => row[part]?.p99],
  ]);
  const blocked = rows.find(({ kilobytes, cached }) => kilobytes === 100 && cached)?.['loop blocked'].p50 ?? NaN;
  return section(
    'Speed of a swap (milliseconds, p50 and p99)',
    table(
      rows,
      ['code', ({ kilobytes }) => `${kilobytes} KB`],
      ['cache', ({ cached }) => (cached ? 'yes' : 'no')],
      ['packed KB', ({ packed }) => packed / 1_024],
      ...columns,
    ),
    goals([
      blocked < MAX_BLOCK_MS,
      `activating 100 KB blocks the loop for ${blocked.toFixed(2)} ms, less than ${MAX_BLOCK_MS}`,
    ]),
  );
}

async function measureSwaps(kilobytes: number, cached: boolean) {
  const generated = new GeneratedModule(kilobytes * 1_024);
  const server = silentServer();
  let version = 0;
  let bundle: Bundle = generated.bundle(version);
  let packed: Uint8Array = new Uint8Array();
  const generate = (): void => void (bundle = generated.bundle((version += 1)));
  const encode = async (): Promise<void> => {
    generate();
    packed = encodeBundle(cached ? withCache(bundle) : bundle);
    await turn();
  };
  const prepare = (): void => void server.prepare(decodeBundle(packed));
  // Between the two, a node waits for the head.
  const encodeAndPrepare = async (): Promise<void> => {
    await encode();
    prepare();
    await pause(1);
  };
  const activate = (): void => commit(server, bundle, version);
  const activateAndTurn = async (): Promise<void> => {
    const next = turn();
    activate();
    await next;
  };
  return {
    kilobytes,
    cached,
    /** Once, in the controller. */
    'make cache': cached ? await latencyOf(SAMPLES, () => withCache(bundle), { beforeEach: generate }) : null,
    /** Unpack, verify, compile. */
    prepare: await latencyOf(SAMPLES, prepare, { beforeEach: encode, afterEach: activate }),
    /** Evaluate and switch. */
    activate: await latencyOf(SAMPLES, activate, { beforeEach: encodeAndPrepare }),
    /** From the start of the activation until the event loop comes to its next task. */
    'loop blocked': await latencyOf(SAMPLES, activateAndTurn, { async: true, beforeEach: encodeAndPrepare }),
    packed: packed.length,
  };
}
