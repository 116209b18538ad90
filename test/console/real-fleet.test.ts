import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { openPage, shoot, startBrowser } from '../support/console/browser.ts';
import { containersOf, nodesOf } from '../support/docker/compose-resources.ts';
import { ComposeProject, TEST_PROJECT } from '../support/docker/compose-project.ts';

const NODES = 30;

/** The largest time from a fact to the page (milliseconds). */
const SEEN_MS = 3_000;

const project = new ComposeProject(TEST_PROJECT);
let browser: Browser;
let page: Page;
let problems: string[];

beforeAll(async () => {
  browser = await startBrowser();
  const { exitCode, stdout, stderr } = await project.make('up', `NODES=${NODES}`);
  expect(exitCode, stdout + stderr).toBe(0);
  const url = /the console is at (\S+)/.exec(stdout)?.[1] ?? '';
  ({ page, problems } = await openPage(browser, url));
}, 240_000);

afterAll(async () => {
  await browser.close();
  await project[Symbol.asyncDispose]();
});

const push = async (version: number): Promise<string> => {
  project.writeModule(
    'demo',
    `export const add = (left: number, right: number) => left + right + ${version} - ${version};\n`,
  );
  const { stdout, stderr } = await project.make('push', 'MODULE=demo', `MESSAGE=edit ${version}`);
  return stdout + stderr;
};

describe('thirty real nodes', { timeout: 120_000 }, () => {
  it('are on the page, and a push lights them up as they answer', async () => {
    await page
      .locator('.tile')
      .nth(NODES - 1)
      .waitFor();
    // What the page shows while a push runs is there for some hundredths of a second only.
    await page.evaluate(`
      window.steps = new Set();
      new MutationObserver(() => {
        for (const { dataset } of document.querySelectorAll('.tile[data-step]')) window.steps.add(dataset.step);
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    `);
    const pushing = push(1);
    await page.locator('#change').waitFor();
    await shoot(page, 'real-push', ['light']);
    expect(await pushing).toContain('30 loaded');
    await page.locator('#change[data-outcome="committed"]').waitFor({ timeout: SEEN_MS });
    expect(await page.locator('#change').textContent()).toContain('30 loaded');
    // Also before the next heartbeats.
    expect(await page.getByText('need a look').count()).toBe(0);
    await page.locator('#module-demo').getByText('30/30').waitFor({ timeout: SEEN_MS });
    expect(await page.evaluate('[...window.steps]')).toContain('loaded');
    await page.locator('#timeline').getByText('edit 1').waitFor({ timeout: SEEN_MS });
    await shoot(page, 'real-committed', ['light', 'dark']);
    expect(problems).toEqual([]);
  });

  it('show a node that was killed, and one that is paused, in plain words', async () => {
    const containers = await nodesOf(project.name);
    const names = await Promise.all(containers.map(async each => (await each.inspect()).Name));
    const nodeOf = (number: number) => containers[names.findIndex(name => name.endsWith(`-node-${number}`))];
    const [killed, paused] = [nodeOf(2), nodeOf(3)];
    const attention = page.locator('#attention');
    await paused?.pause();
    await attention.getByText('its container is paused').waitFor({ timeout: SEEN_MS });
    await killed?.kill();
    await attention.getByText('its container has ended (exited)').waitFor({ timeout: SEEN_MS });
    await shoot(page, 'real-faults', ['light']);
    // The colour of a node that has loaded the last push is not on these.
    expect(await page.locator('.tile[data-level="bad"]').count()).toBe(2);
    expect(await page.locator('.tile[data-level="bad"][data-step]').count()).toBe(0);
    await paused?.unpause();
    await killed?.start();
    await expect.poll(() => attention.textContent(), { timeout: 60_000 }).not.toContain('its container');
  });

  it('show that the controller is gone', async () => {
    const controller = (await containersOf(project.name)).get('controller');
    await controller?.stop();
    await page.getByText('No controller.').waitFor({ timeout: SEEN_MS });
    await shoot(page, 'real-no-controller', ['light']);
    await controller?.start();
    await page.getByText('No controller.').waitFor({ state: 'detached', timeout: 60_000 });
    expect(problems).toEqual([]);
  });
});
