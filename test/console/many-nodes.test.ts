import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { openPage, shoot, startBrowser } from '../support/console/browser.ts';
import { ConsoleStand } from '../support/console/console-stand.ts';
import { memoryOf, tasksDuring } from '../support/console/page-load.ts';

const NODES = 1_000;
const MODULES = 100;
const PER_SECOND = 30;
const SECONDS = 10;

/** A frame at 60 Hz (milliseconds). */
const FRAME_MS = 16;

/** A page that does one thing for longer than this does not feel fluid, on a machine that does much else (milliseconds). */
const LONG_MS = 50;

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
    const tasks = await tasksDuring(browser, page, () => changeFor(SECONDS));
    const bytes = await memoryOf(browser, page);
    await shoot(page, 'many', ['light', 'dark']);
    const total = tasks.reduce((sum, each) => sum + each, 0);
    // Most tasks are no frames, and take next to nothing.
    const frames = tasks.filter(ms => ms > 2);
    const slow = frames[Math.floor(frames.length / 20)] ?? 0;
    process.stdout.write(
      `the page took ${(total / SECONDS / 10).toFixed(0)} % of a core; 19 of 20 frames at most ${slow.toFixed(1)} ms, ` +
        `the longest ${frames[0]?.toFixed(1)} ms; its memory: ${Math.round(bytes / MB)} MB\n`,
    );
    expect(slow).toBeLessThanOrEqual(FRAME_MS);
    expect(frames[0]).toBeLessThanOrEqual(LONG_MS);
    expect(bytes).toBeLessThanOrEqual(60 * MB);
    expect(problems).toEqual([]);
  },
);
