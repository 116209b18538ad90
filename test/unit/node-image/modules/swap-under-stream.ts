import { setImmediate as turn } from 'node:timers/promises';

import { call } from '../../../../node-image/src/modules/invoke.ts';
import { CodeServer } from '../../../../node-image/src/modules/code-server.ts';
import { bundleOf, headOf, latch, recordingLog } from '../../fixtures.ts';

// A process of its own for held-stream.test.ts: it swaps a module under a stream, and prints what it measured as JSON.

const SWAPS = 10_000;
const EARLY = 2_000;

const { opened, open } = latch();
Object.assign(globalThis, { opened });

/** A version that holds an array, opens a timer and has a stream. */
const version = (swap: number): string => `
  exports.held = Array.from({ length: 1_000 }, (_, index) => ({ index }));
  setInterval(() => {}, 1_000);
  exports.stream = async function* () { yield 'begun'; await globalThis.opened; yield ${swap}; yield 'ended'; };
`;

const log = recordingLog();
const server = new CodeServer(log);

function swapTo(swap: number): object {
  const bundle = bundleOf('demo', version(swap));
  server.prepare(bundle);
  const result = server.commit([headOf('demo', bundle.revision, swap + 1)]);
  const held = server.current('demo')?.exports['held'];
  if (result.status === 'refused' || !Array.isArray(held)) throw new Error(`swap ${swap}: ${JSON.stringify(result)}`);
  log.logged.length = 0;
  return held;
}

async function heap(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await turn();
  }
  return process.memoryUsage().heapUsed;
}

let collected = 0;
const registry = new FinalizationRegistry<null>(() => (collected += 1));

swapTo(0);
const stream = call(server, 'fred', { module: 'demo', function: 'stream', args: [] });
const heaps: number[] = [];
for (let swap = 1; swap <= SWAPS; swap += 1) {
  registry.register(swapTo(swap), null);
  // Finalizers run between turns of the event loop.
  if (swap % 20 === 0) await turn();
  if (swap === EARLY || swap === SWAPS) heaps.push(await heap());
}
const draining = server.describeDraining().length;
open();
const ended = await stream;
await server.stop(0);
process.stdout.write(JSON.stringify({ heaps, collected, draining, ended }));
