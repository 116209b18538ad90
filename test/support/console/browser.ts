import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Where distributions put Chromium. */
const PROGRAMS = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

const FOLDER = join(import.meta.dirname, '../../../.cache/console');

/** Starts the distribution's Chromium. */
export function startBrowser(): Promise<Browser> {
  const executablePath = PROGRAMS.find(path => path !== '' && existsSync(path));
  if (executablePath === undefined)
    throw new Error('no Chromium was found: run setup/offline/chromium.sh, or set CHROMIUM');
  // Its sandbox needs another user than root.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

export const WIDE = { width: 1440, height: 900 } as const;
export const PHONE = { width: 390, height: 844 } as const;

/** Opens a page, and fails on every error in it. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly problems: string[] }> {
  const context = await browser.newContext({ viewport: WIDE, deviceScaleFactor: 1, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', error => problems.push(error.message));
  page.on('console', message => {
    if (message.type() === 'error' && !/net::ERR|Failed to load resource/.test(message.text()))
      problems.push(message.text());
  });
  await page.goto(url);
  return { page, problems };
}

/** Takes a picture of a state, in each of these looks, into .cache/console. */
export async function shoot(
  page: Page,
  name: string,
  looks: readonly ('light' | 'dark' | 'phone')[] = ['light', 'dark', 'phone'],
): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  for (const look of looks) {
    await page.emulateMedia({ colorScheme: look === 'dark' ? 'dark' : 'light', reducedMotion: 'reduce' });
    await page.setViewportSize(look === 'phone' ? PHONE : WIDE);
    await page.screenshot({ path: join(FOLDER, `${name}-${look}.png`), fullPage: look === 'phone' });
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
  await page.setViewportSize(WIDE);
}
