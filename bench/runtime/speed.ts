import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';

import { type Bundle, decodeBundle, encodeBundle } from '../../protocol/bundle.ts';
import { compiledSubject } from '../subject.ts';
import { goals, section, table } from '../table.ts';
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
  const blocked = rows.find(({ kilobytes, cached }) => kilobytes === 100 && cached)?.['loop blocked'].p50 ?? NaN;
  return section(
    'Speed of a swap (milliseconds, p50 and p99)',
    table(
      `code | cache | packed KB | ${parts.join(' | p99 | ')} | p99`,
      rows.map(row => [
        [`${row.kilobytes} KB`, row.cached ? 'yes' : 'no', row.packed / 1_024],
        ...parts.flatMap(part => [row[part]?.p50, row[part]?.p99]),
      ]),
    ),
    goals([
      blocked < MAX_BLOCK_MS,
      `activating 100 KB blocks the loop for ${blocked.toFixed(2)} ms, less than ${MAX_BLOCK_MS}`,
    ]),
  );
}

async function measureSwaps(kilobytes: number, cached: boolean) {
  const subject = compiledSubject(kilobytes * 1_024);
  const server = silentServer();
  let version = 0;
  let bundle: Bundle = subject.bundle(version);
  let packed: Uint8Array = new Uint8Array();
  const generate = (): void => void (bundle = subject.bundle((version += 1)));
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
