import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { openPage, shoot, startBrowser } from '../support/console/browser.ts';
import { ConsoleStand } from '../support/console/console-stand.ts';
import { memoryOf, tasksDuring } from '../support/console/page-load.ts';

const NODES = 1_000;
const MODULES = 100;
const PER_SECOND = 30;
const SECONDS = 5;
const ROUNDS = 3;

/** A frame at 60 Hz (milliseconds). */
const FRAME_MS = 16;

const MB = 2 ** 20;

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

it(
  '1,000 nodes and 100 modules stay fluid while 30 nodes change each second, and the page small',
  { timeout: 240_000 },
  async () => {
    await using stand = await ConsoleStand.start();
    const { fleet } = stand;
    await fleet.add(NODES);
    for (let index = 0; index < MODULES; index += 1)
      await fleet.push(`module${index}`, `export const name = ${index};\n`, { author: 'wilma', message: 'Start it' });
    const names = [...fleet.nodes.keys()];
    for (const name of names) fleet.change(name, () => ({ heartbeatInterval: 60_000 }));
    for (let index = 0; index < NODES; index += 50) await fleet.beat(names.slice(index, index + 50));

    const { page, problems } = await openPage(browser, stand.url);
    await page
      .locator('.tile[data-level="ok"]')
      .nth(NODES - 1)
      .waitFor();
    expect(await page.locator('#modules tr').count()).toBe(MODULES);
    const changing = (count: number): void => {
      const name = names[(count * 7) % NODES] ?? '';
      const refusal = { sequence: 9, reason: 'on_load_failure', detail: `TypeError: no ${count}` } as const;
      fleet.change(name, ({ refusals }) => ({
        refusals: Object.keys(refusals).length === 0 ? { [`module${count % MODULES}`]: refusal } : {},
      }));
      fleet.say(name, 'heartbeat');
    };
    let count = 0;
    const changeFor = async (seconds: number): Promise<void> => {
      const end = count + PER_SECOND * seconds;
      await new Promise<void>(resolve => {
        const timer = setInterval(() => {
          changing(count);
          count += 1;
          if (count < end) return;
          clearInterval(timer);
          resolve();
        }, 1_000 / PER_SECOND);
      });
      await page
        .locator('.tile[data-level="bad"]')
        .nth(end - 1)
        .waitFor();
    };
    await changeFor(1);
    // The processor time of the same frame is twice as long while other programs use the same core, so the quietest round counts.
    let [median, slow] = [Infinity, Infinity];
    for (let round = 0; round < ROUNDS && slow > FRAME_MS; round += 1) {
      const tasks = await tasksDuring(browser, page, () => changeFor(SECONDS));
      // Most tasks are no frames, and take next to nothing.
      const frames = tasks.filter(ms => ms > 2);
      const of = (share: number): number => frames[Math.floor(frames.length * (1 - share))] ?? 0;
      median = Math.min(median, of(0.5));
      slow = Math.min(slow, of(0.95));
      const load = tasks.reduce((sum, each) => sum + each, 0) / SECONDS / 10;
      process.stdout.write(
        `the page takes ${load.toFixed(0)} % of a core; of ${frames.length} frames half take at most ` +
          `${of(0.5).toFixed(1)} ms, 19 of 20 ${of(0.95).toFixed(1)} ms, the longest ${frames[0]?.toFixed(1)} ms\n`,
      );
    }
    const bytes = await memoryOf(browser, page);
    process.stdout.write(`its memory: ${Math.round(bytes / MB)} MB\n`);
    await shoot(page, 'many', ['light', 'dark']);
    expect(median).toBeLessThanOrEqual(FRAME_MS);
    expect(slow).toBeLessThanOrEqual(2 * FRAME_MS);
    expect(bytes).toBeLessThanOrEqual(60 * MB);
    expect(problems).toEqual([]);
  },
);
