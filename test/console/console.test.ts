import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { openPage, PHONE, shoot, startBrowser } from '../support/console/browser.ts';
import { ConsoleStand } from '../support/console/console-stand.ts';
import { startScene } from '../support/console/scene.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let stand: ConsoleStand;
let page: Page;
let problems: string[];

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

beforeEach(async () => {
  stand = await ConsoleStand.start();
});
afterEach(async () => {
  await Promise.all(browser.contexts().map(context => context.close()));
  await stand[Symbol.asyncDispose]();
});

async function open(path = ''): Promise<void> {
  ({ page, problems } = await openPage(browser, `${stand.url}${path}`));
  await page.getByText('Live', { exact: true }).waitFor();
}

/** What axe has against the page. Trusted types forbid what it injects itself, so it runs in a page without them. */
async function violations(colorScheme: 'light' | 'dark', viewport = { width: 1440, height: 900 }): Promise<string[]> {
  const context = await browser.newContext({ bypassCSP: true, colorScheme, viewport });
  const checked = await context.newPage();
  await checked.goto(page.url());
  await checked.evaluate(AXE);
  const found: unknown = await checked.evaluate(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
      .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ target, failureSummary }) => target + ' ' + failureSummary).join(' | ')))`,
  );
  await context.close();
  return found as string[];
}

describe('the page', () => {
  it('is complete without a script, and opens for no other host and no other method', async () => {
    await startScene(stand.fleet);
    const context = await browser.newContext({ javaScriptEnabled: false });
    const bare = await context.newPage();
    await expect
      .poll(async () => {
        await bare.goto(stand.url);
        return bare.locator('.tile').count();
      })
      .toBe(30);
    expect(await bare.locator('#module-demo').textContent()).toContain('30/30');
    expect(await bare.locator('#timeline').textContent()).toContain('Print what a boss prints');
    const rebound = await context.request.get(stand.url, { headers: { host: 'evil.example' } });
    expect(rebound.status()).toBe(421);
    expect((await context.request.post(stand.url)).status()).toBe(405);
  });

  it('shows what happens while it is open: a node, a push on each node as it answers, and its result', async () => {
    const { push } = await startScene(stand.fleet);
    await open();
    await page.locator('.tile').nth(29).waitFor();
    await shoot(page, 'calm');
    await push(async () => {
      await page.locator('.tile[data-step="commit"]').nth(17).waitFor();
      expect(await page.locator('.tile[data-step="prepare"]').count()).toBe(12);
      await shoot(page, 'push');
    });
    await page.locator('#change[data-outcome="committed"]').waitFor();
    expect(await page.locator('#change').textContent()).toContain('30 loaded');
    await page.locator('#timeline').getByText('Round half to even').waitFor();
    expect(problems).toEqual([]);
  });

  it('shows what has happened within 200 ms', async () => {
    await startScene(stand.fleet);
    await open();
    await page.locator('.tile').nth(29).waitFor();
    await page.evaluate(`
      window.seen = new Map();
      new MutationObserver(() => {
        const text = document.querySelector('#node-fred').textContent;
        if (!window.seen.has(text)) window.seen.set(text, Date.now());
      }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    `);
    const delays: number[] = [];
    for (let count = 0; count < 9; count += 1) {
      const saidAt = Date.now();
      stand.fleet.change('fred', () => ({ loopDelay: 501 + count }));
      stand.fleet.say('fred', 'heartbeat');
      const text = `${501 + count} ms`;
      await page.locator('#node-fred').getByText(text).waitFor();
      const seenAt = await page.evaluate(`[...window.seen].find(([text]) => text.includes('${text}'))[1]`);
      delays.push(Number(seenAt) - saidAt);
    }
    // Other programs hold up single ones.
    const median = delays.toSorted((a, b) => a - b)[4] ?? Infinity;
    process.stdout.write(`from a heartbeat to the page: ${delays.join(', ')} ms\n`);
    expect(median).toBeLessThanOrEqual(200);
  });

  it('draws how long pushes took, calls and requests apart, and errors by revision', async () => {
    const { past } = await startScene(stand.fleet);
    await open();
    await page.locator('.tile').nth(29).waitFor();
    await past();
    await page.locator('.bars g').nth(23).waitFor();
    expect(await page.locator('.bars title').nth(14).textContent()).toMatch(
      /^demo: reverted, 1\.\d s \(compile \d+ ms/,
    );
    expect(await page.locator('.pushes figcaption').textContent()).toMatch(/median \d+ ms · slowest 1\.\d s/);
    const failing = page.locator('.errors-by li');
    await failing.nth(1).waitFor();
    expect(await failing.nth(0).textContent()).toMatch(/^demo@[0-9a-f]{12}8$/);
    expect(await failing.nth(1).textContent()).toMatch(/^search@[0-9a-f]{12}1$/);
    for (const name of ['Calls', 'HTTP requests', 'Memory', 'Event-loop delay'])
      expect(
        await page
          .locator('.stat', { has: page.getByText(name, { exact: true }) })
          .locator('.line')
          .getAttribute('d'),
      ).toMatch(/^M/);
    await page.locator('#charts').scrollIntoViewIfNeeded();
    await shoot(page, 'charts');
    expect(problems).toEqual([]);
  });

  it('shows what each version on a node has open', async () => {
    const { revision } = await startScene(stand.fleet);
    stand.fleet.owned.set('fred', { [`demo@${revision.slice(0, 12)}`]: { timers: 3, sockets: 1 } });
    await open('/nodes/fred');
    const row = page.locator('.versions tr', { hasText: 'demo@' });
    await row.getByText('3 timers and 1 connection open').waitFor();
    expect(await page.locator('.versions tr', { hasText: 'web@' }).textContent()).not.toContain('open');
    stand.fleet.nodes.delete('betty');
    await page.goto(`${stand.url}/nodes/betty`);
    await page.getByText('It has not said what they have open.').waitFor();
  });

  it('names what needs a look in words, also the controller that is gone', async () => {
    const { trouble } = await startScene(stand.fleet);
    await open();
    await trouble();
    const attention = page.locator('#attention');
    for (const text of [
      'no heartbeat comes: blocked, cut off or dead',
      'it blocked the event loop for 5.2 s',
      'web (on_load_failure)',
    ])
      await attention.getByText(text).waitFor();
    await shoot(page, 'trouble');
    stand.fleet.isControllerUp = false;
    await page.getByText('No controller.').waitFor();
  });

  it('shows each fault within 3 s, in plain words', async () => {
    const { fleet } = stand;
    const { quiet } = await startScene(fleet);
    await open();
    await page.locator('.tile').nth(29).waitFor();
    const shown = async (text: string, scope = '#attention'): Promise<void> =>
      page.locator(scope).getByText(text).first().waitFor({ timeout: 3_000 });

    // A node was killed.
    fleet.stopped.set('wilma', 'exited');
    quiet.add('wilma');
    await shown('its container has ended (exited)');
    // One is cut off.
    quiet.add('betty');
    await shown('a heartbeat is missing');
    // One is blocked.
    quiet.add('pebbles');
    fleet.say('pebbles', 'stalled');
    await shown('its event loop does not turn', '#timeline');
    // One is banned.
    const sequence = fleet.nodes.get('dino')?.modules['web']?.sequence ?? 0;
    const banned = {
      sequence,
      reason: 'banned',
      cause: 'stalled',
      detail: 'it blocked the event loop for 5.2 s',
    } as const;
    fleet.change('dino', () => ({ refusals: { web: banned } }));
    await fleet.beat(['dino']);
    await shown('web brought it down: it blocked the event loop for 5.2 s');
    // The stream is full.
    await fleet.fill();
    await shown('The stream is full', '#notice');
    // The controller is gone.
    fleet.isControllerUp = false;
    await shown('No controller.', '#notice');
    await shoot(page, 'faults', ['light']);
    expect(problems).toEqual([]);
  });

  it('says that it is cut off, from the console or from NATS, and heals by itself', async () => {
    await startScene(stand.fleet);
    await open();
    await stand.nats.stop();
    await page.getByText('No connection to NATS').waitFor();
    await shoot(page, 'cut', ['light']);
    await stand.nats.resume();
    await page.getByText('No connection to NATS').waitFor({ state: 'detached' });
    await stand.restart(async () => {
      await page.getByText('Cut off: the console does not answer.').waitFor();
      stand.fleet.stopped.set('wilma', 'exited');
    });
    await page.getByText('Live', { exact: true }).waitFor();
    await page.locator('.tile').nth(29).waitFor();
  });

  it('shows logs again when the console comes back before NATS does', async () => {
    const { revision } = await startScene(stand.fleet);
    await open();
    await page.locator('#logs summary').click();
    const restarting = stand.restart(() => stand.nats.stop());
    await page.getByText('No connection to NATS').waitFor();
    await stand.nats.resume();
    await restarting;
    const entry = { at: Date.now(), module: 'demo', revision, level: 'info', text: 'back again' } as const;
    await expect
      .poll(
        async () => {
          stand.fleet.log({ node: 'fred', dropped: 0, entries: [entry] });
          return page.locator('#log-lines').getByText('back again').count();
        },
        { timeout: 20_000 },
      )
      .toBeGreaterThan(0);
  });

  it('shows text of modules as text: in errors, logs and messages', async () => {
    const { fleet } = stand;
    const { revision } = await startScene(fleet);
    const evil = '<img src=x onerror="document.title=1"><script>document.title=1</script>';
    fleet.errors.set('fred/demo', {
      node: 'fred',
      revisions: [
        {
          revision,
          errors: [
            { at: Date.now(), count: 2, where: 'demo.add', error: { type: 'Error', message: evil, stack: evil } },
          ],
        },
      ],
    });
    fleet.call('demo', 5, 2, ['fred']);
    await fleet.push('demo', `// ${evil}\n`, { author: evil, message: evil });
    fleet.call('demo', 5, 2, ['fred']);
    await open();
    await page.locator('#timeline').getByText(evil).first().waitFor();
    await page.locator('#node-fred a').click();
    await page.locator('.panel .error summary').first().click();
    expect(await page.locator('.panel pre').first().textContent()).toBe(evil);
    await page.keyboard.press('Escape');
    await page.locator('#logs summary').click();
    await expect
      .poll(async () => {
        fleet.log({
          node: 'fred',
          dropped: 0,
          entries: [{ at: Date.now(), module: 'demo', revision, level: 'error', text: evil }],
        });
        return page.locator('#log-lines .line').count();
      })
      .toBeGreaterThan(0);
    expect(await page.locator('#log-lines .line span').first().textContent()).toBe(evil);
    expect(await page.locator('img, #log-lines script, .panel script').count()).toBe(0);
    expect(await page.title()).toBe('dino · Hotcast');
    expect(problems).toEqual([]);
  });

  it('can be walked by keyboard: tiles by arrows, a panel by Enter, and back to its tile by Escape', async () => {
    await startScene(stand.fleet);
    await open();
    await page.locator('#node-fred a').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe('/nodes/bambam');
    await page.keyboard.press('Enter');
    await page.locator('#panel-title').getByText('bambam').waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('panel-title');
    expect(new URL(page.url()).pathname).toBe('/nodes/bambam');
    await page.keyboard.press('Escape');
    await page.locator('.panel').waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe('/nodes/bambam');
  });

  it(
    'has nothing that axe objects to: with trouble, with panels, light and dark, wide and on a phone',
    { timeout: 240_000 },
    async () => {
      const { trouble, revision } = await startScene(stand.fleet);
      await open();
      await trouble();
      await page.locator('#attention').getByText('silent').waitFor();
      for (const path of ['', '/nodes/fred', `/revisions/demo/${revision}`]) {
        await page.goto(`${stand.url}${path}`);
        if (path !== '') await shoot(page, path.startsWith('/nodes') ? 'node' : 'revision');
        expect(await violations('light'), path).toEqual([]);
        expect(await violations('dark'), path).toEqual([]);
      }
      await page.goto(stand.url);
      expect(await violations('light', PHONE)).toEqual([]);
    },
  );
});
