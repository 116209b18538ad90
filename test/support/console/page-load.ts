import { readFileSync } from 'node:fs';

import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';

const traceSchema = v.object({
  traceEvents: v.array(
    v.object({
      name: v.string(),
      pid: v.number(),
      tid: v.number(),
      tdur: v.optional(v.number(), 0),
      args: v.optional(v.object({ name: v.optional(v.unknown()) }), {}),
    }),
  ),
});

const CATEGORIES = ['disabled-by-default-devtools.timeline', 'toplevel'];

/**
 * The processor time of each task of the page's main thread while something happens, milliseconds, the longest first. It says how long a
 * frame has to wait, whatever else runs on the machine.
 */
export async function tasksDuring(browser: Browser, page: Page, body: () => Promise<void>): Promise<number[]> {
  await browser.startTracing(page, { categories: CATEGORIES });
  await body();
  const { traceEvents } = v.parse(
    v.pipe(v.string(), v.parseJson(), traceSchema),
    (await browser.stopTracing()).toString(),
  );
  const isMain = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid}/${tid}`),
  );
  return traceEvents
    .filter(({ name, pid, tid }) => name === 'RunTask' && isMain.has(`${pid}/${tid}`))
    .map(({ tdur }) => tdur / 1_000)
    .toSorted((a, b) => b - a);
}

const processesSchema = v.object({ processInfo: v.array(v.object({ type: v.string(), id: v.number() })) });

/** The private memory of the largest process that draws pages, after a collection of garbage, bytes. */
export async function memoryOf(browser: Browser, page: Page): Promise<number> {
  const ofPage = await page.context().newCDPSession(page);
  await ofPage.send('HeapProfiler.collectGarbage');
  const ofBrowser = await browser.newBrowserCDPSession();
  const { processInfo } = v.parse(processesSchema, await ofBrowser.send('SystemInfo.getProcessInfo'));
  const sizes = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => privateBytes(id));
  await Promise.all([ofPage.detach(), ofBrowser.detach()]);
  return Math.max(...sizes);
}

function privateBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return [...text.matchAll(/^Private_\w+: +(\d+) kB$/gm)].reduce((sum, [, kB]) => sum + 1_024 * Number(kB), 0);
}
