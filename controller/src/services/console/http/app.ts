import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';

import type { Logged, Tail } from '../feed/tail.ts';
import type { FleetMetrics } from '../metrics/fleet-metrics.ts';
import type { Fleet } from '../model/fleet.ts';
import type { Details } from '../page/details.ts';
import { documentHtml } from '../page/document.tsx';
import type { Hub, Regions } from './hub.ts';

/** The files that the page loads. */
export interface Assets {
  readonly script: string;
  readonly style: string;
}

interface AppDeps {
  readonly hosts: readonly string[];
  readonly assets: Assets;
  readonly hub: Hub;
  readonly fleet: () => Fleet;
  readonly regions: () => Regions;
  readonly details: Details;
  readonly metrics: FleetMetrics;
  /** Null while there is no connection. */
  readonly tail: () => Tail | null;
  /** Ends all that is open when the console ends. */
  readonly signal: AbortSignal;
}

/** Something is sent so often, so that both sides see a cut (milliseconds). */
const BEAT_MS = 2_000;

/** Log lines that come within this time are one message (milliseconds). */
const GATHER_LOGS_MS = 120;

/** So many pages are open at most: each costs memory. */
const MAX_STREAMS = 200;

/** A log line that waits for a slow reader is dropped beyond so many. */
const MAX_WAITING = 500;

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types hotcast",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
};

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#d9480f" d="M8.8.8C9.3 4 5 5.2 5 8.6c0 .9.3 1.6.8 2.2C4.1 10.2 3.2 9 3 7.5 1.9 8.7 1.5 9.8 1.5 11c0 2.600 2.900 4.200 6.500 4.200s6.500-1.700 6.500-4.700C14.500 6.500 11 4.800 8.800.8z"/></svg>';

/** The pages of the console. It answers GET and HEAD, and changes nothing. */
export function createApp(deps: AppDeps): Hono {
  const { hosts, assets, hub, fleet, regions, details, metrics, tail, signal } = deps;
  const epoch = crypto.randomUUID().slice(0, 8);
  const app = new Hono();
  let streams = 0;

  app.use(async (context, next) => {
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
    const host = (context.req.header('host') ?? '').toLowerCase().replace(/:\d+$/, '');
    if (!hosts.includes(host)) return context.text('This is not a name of the console: see CONSOLE_HOSTS.\n', 421);
    if (!['GET', 'HEAD'].includes(context.req.method)) return context.text('The console only looks.\n', 405);
    return next();
  });

  const page = (panel: string): string =>
    documentHtml({
      cookie: fleet().cookie,
      regions: regions(),
      version: `${epoch}.${hub.version}`,
      now: fleet().now,
      panel,
    });
  /** The whole page with a panel in it, or the panel alone for the client script. */
  const answer = (isPart: boolean, panel: string): string => (isPart ? panel : page(panel));

  app.get('/', context => context.html(page('')));
  app.get('/nodes/:name', async context =>
    context.html(answer(context.req.query('part') !== undefined, await details.node(context.req.param('name')))),
  );
  app.get('/revisions/:module', async context =>
    context.html(
      answer(context.req.query('part') !== undefined, await details.revision(context.req.param('module'), null)),
    ),
  );
  app.get('/revisions/:module/:revision', async context => {
    const { module, revision } = context.req.param();
    return context.html(answer(context.req.query('part') !== undefined, await details.revision(module, revision)));
  });
  app.get('/console.css', context => context.body(assets.style, 200, { 'Content-Type': 'text/css; charset=utf-8' }));
  app.get('/client.js', context =>
    context.body(assets.script, 200, { 'Content-Type': 'text/javascript; charset=utf-8' }),
  );
  app.get('/metrics', async context =>
    context.body(await metrics.text(fleet()), 200, { 'Content-Type': metrics.contentType }),
  );
  app.get('/icon.svg', context => context.body(ICON, 200, { 'Content-Type': 'image/svg+xml' }));

  /** What changes on the page from a version on: all of it when the version is not of this process. */
  app.get('/events', context => {
    if (streams >= MAX_STREAMS) return context.text('Too many pages are open.\n', 503);
    const has = (context.req.header('last-event-id') ?? context.req.query('since') ?? '').split('.');
    let since = has[0] === epoch ? Number(has[1]) : 0;
    if (!Number.isInteger(since)) since = 0;
    streams += 1;
    return streamSSE(context, async stream => {
      const ended = AbortSignal.any([signal, context.req.raw.signal]);
      stream.onAbort(() => hub.wake());
      const leave = hub.watch();
      // What has happened while nobody looked.
      regions();
      try {
        while (!stream.aborted && !ended.aborted) {
          const patch = hub.since(since);
          const event = patch === null ? 'beat' : 'patch';
          if (patch !== null) since = patch.version;
          await stream.writeSSE({ event, id: `${epoch}.${since}`, data: JSON.stringify(patch ?? { now: Date.now() }) });
          await hub.next(BEAT_MS, ended);
        }
      } finally {
        leave();
        streams -= 1;
      }
    });
  });

  app.get('/logs', context => {
    const source = tail();
    if (source === null || streams >= MAX_STREAMS)
      return context.text('There is no connection, or too many pages are open.\n', 503);
    streams += 1;
    return streamSSE(context, async stream => {
      const ended = AbortSignal.any([signal, context.req.raw.signal]);
      let waiting: Logged[] = [];
      let dropped = 0;
      const stop = source.listen(logged => {
        if (waiting.length < MAX_WAITING) waiting.push(logged);
        else dropped += logged.entries.length;
      });
      try {
        while (!stream.aborted && !ended.aborted) {
          const data = JSON.stringify({ logged: waiting, dropped });
          [waiting, dropped] = [[], 0];
          await stream.writeSSE({ event: 'logged', data });
          await stream.sleep(GATHER_LOGS_MS);
        }
      } finally {
        stop();
        streams -= 1;
      }
    });
  });
  return app;
}
