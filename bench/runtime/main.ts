import { fork } from 'node:child_process';

import { type CallCosts, measureCalls } from './calls.ts';
import { measureMemory, type MemorySample } from './memory.ts';
import { callsTable, memoryTable, speedTable } from './report.ts';
import { measureSpeed, type SwapTimes } from './speed.ts';

/** What is measured, each in a process of its own. */
const PARTS = {
  hotcast: () => measureMemory('hotcast'),
  import: () => measureMemory('import'),
  speed: measureSpeed,
  calls: async () => measureCalls(),
} as const;

type Part = keyof typeof PARTS;

function inItsOwnProcess<T>(part: Part): Promise<T> {
  const child = fork(import.meta.filename, [part]);
  return new Promise((resolve, reject) => {
    child.once('message', message => resolve(message as T)).once('error', reject);
    child.once('exit', code => reject(new Error(`${part} ended with ${code} before it was measured`)));
  });
}

async function report(json: boolean): Promise<void> {
  const calls = await inItsOwnProcess<CallCosts>('calls');
  const speed = await inItsOwnProcess<SwapTimes[]>('speed');
  const memory = {
    hotcast: await inItsOwnProcess<MemorySample[]>('hotcast'),
    import: await inItsOwnProcess<MemorySample[]>('import'),
  };
  const lines = [memoryTable(memory.hotcast, memory.import), speedTable(speed), callsTable(calls)];
  process.stdout.write(json ? `${JSON.stringify({ memory, speed, calls })}\n` : `${lines.join('\n\n')}\n`);
}

const [asked] = process.argv.slice(2);
if (asked !== undefined && Object.hasOwn(PARTS, asked)) {
  const measured = await PARTS[asked as Part]();
  process.send?.(measured, () => process.exit(0));
} else await report(asked === '--json');
