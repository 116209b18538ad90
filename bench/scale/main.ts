import { createInterface } from 'node:readline';

import { Driver } from './driver.ts';
import type { Order, Reply } from './orders.ts';
import { simulate, type Work } from './simulate.ts';
import { standInForRoster } from './stand-in-roster.ts';

/** Runs beside NATS: as the driver, which takes orders from its input and answers on its output, or as what it starts. */
const [role = '', first = '', second = ''] = process.argv.slice(2);

async function drive(processes: number, work: Work): Promise<void> {
  const driver = await Driver.start(import.meta.filename, processes, work);
  const say = (reply: Reply<unknown>): void => void process.stdout.write(`${JSON.stringify(reply)}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say({ status: 'done', answer: await driver.obey(JSON.parse(line) as Order) });
    } catch (error) {
      say({ status: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }
  await driver.stop();
  process.exit();
}

if (role === 'nodes') simulate(first, second as Work);
else if (role === 'roster') await standInForRoster();
else await drive(Number(first), second as Work);
