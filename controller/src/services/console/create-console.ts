import { serve } from '@hono/node-server';
import type { NatsConnection } from '@nats-io/transport-node';

import { subjectsOf } from '../../../../protocol/subjects.ts';
import { startHealthFile } from '../../../../shared/health-file.ts';
import type { Logger } from '../../../../shared/logger.ts';
import { drainConnection } from '../../../../shared/nats/shutdown.ts';
import { openTrust } from '../../../../shared/signing/trust.ts';
import type { ConsoleConfig } from './config.ts';
import { type Feed, startFeed } from './feed/feed.ts';
import { type Questions, questions } from './feed/questions.ts';
import { createTail, type Tail } from './feed/tail.ts';
import { type Assets, createApp } from './http/app.ts';
import { Hub } from './http/hub.ts';
import type { Fact } from './model/fact.ts';
import { emptyFleet, type Fleet, reduce } from './model/fleet.ts';
import { fleetMetrics } from './metrics/fleet-metrics.ts';
import { createDetails } from './page/details.ts';
import { createView } from './page/view.ts';

/** Whether a node is late is looked at so often (milliseconds). */
const TICK_MS = 250;

/**
 * What is heard within this time is read, drawn and sent together (milliseconds), or within so many times what the last drawing took. So a page
 * shows it within 200 ms, and a push, which wants all processors for some hundredths of a second, is mostly over then.
 */
const GATHER_MS = 150;
const DRAW_SHARE = 4;

/** The time limit for sending what is left when the console stops (milliseconds). */
const DRAIN_TIMEOUT_MS = 500;

interface ConsoleDeps {
  readonly config: Pick<ConsoleConfig, 'cookie' | 'trustDir' | 'healthFile' | 'port' | 'hosts'>;
  /** Opens the console's NATS connection, which ends with the console. */
  readonly connect: () => Promise<NatsConnection>;
  readonly assets: Assets;
  readonly log: Logger;
}

export interface Console extends AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
  /** Resolves when it has read what is in the streams. */
  readonly ready: Promise<void>;
}

/**
 * Starts the console: it serves the page at once, and fills it as soon as it has reached NATS. What is heard goes one way: from NATS
 * into the model, and from there to the pages.
 */
export async function createConsole({ config, connect, assets, log }: ConsoleDeps): Promise<Console> {
  const { cookie, trustDir, healthFile, hosts } = config;
  const trusted = openTrust(trustDir, subjectsOf(cookie));
  const end = new AbortController();
  const hub = new Hub();
  const view = createView();
  const parts: (Disposable | AsyncDisposable)[] = [];

  let fleet: Fleet = reduce(emptyFleet(cookie, Date.now()), { type: 'link', isUp: false, at: Date.now() });
  let regions = view(fleet);
  const metrics = fleetMetrics();
  let heard: (() => Fact | null)[] = [];
  let gathering: NodeJS.Timeout | undefined;
  let drawMs = 0;
  let isDrawn = true;
  /** The fleet with all that was heard. */
  const current = (): Fleet => {
    const reads = heard;
    heard = [];
    for (const read of reads) {
      try {
        const fact = read();
        if (fact === null) continue;
        metrics.heard(fleet, fact);
        fleet = reduce(fleet, fact);
        isDrawn = false;
      } catch (error) {
        log.error({ err: error }, 'a message could not be read');
      }
    }
    return fleet;
  };
  const draw = (): void => {
    if (isDrawn) return;
    const startedAt = performance.now();
    isDrawn = true;
    regions = view(fleet);
    hub.update(regions);
    drawMs = performance.now() - startedAt;
  };
  const gathered = (): void => {
    gathering = undefined;
    current();
    // While nobody looks, nothing is drawn.
    if (hub.isWatched) draw();
  };
  const hear = (read: () => Fact | null): void => {
    heard.push(read);
    gathering ??= setTimeout(gathered, Math.max(GATHER_MS, DRAW_SHARE * drawMs));
  };
  const tell = (fact: Fact): void => hear(() => fact);
  hub.update(regions);
  const ticks = setInterval(() => {
    tell({ type: 'tick', at: Date.now() });
    // That a node is late is shown at once.
    if (DRAW_SHARE * drawMs > TICK_MS) return;
    clearTimeout(gathering);
    gathered();
  }, TICK_MS);

  let up: { readonly feed: Feed; readonly asking: Questions; readonly tail: Tail } | null = null;
  const details = createDetails({
    fleet: current,
    records: () => up?.feed.records ?? null,
    questions: () => up?.asking ?? null,
  });
  const app = createApp({
    hosts,
    assets,
    hub,
    fleet: current,
    regions: () => {
      current();
      draw();
      return regions;
    },
    details,
    metrics,
    tail: () => up?.tail ?? null,
    signal: end.signal,
  });
  const server = serve({ fetch: app.fetch, port: config.port });
  await new Promise<void>((resolve, reject) => void server.once('listening', resolve).once('error', reject));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.port;

  const start = async (): Promise<void> => {
    const nats = await connect();
    if (end.signal.aborted) return nats.close();
    parts.push({ [Symbol.asyncDispose]: () => drainConnection(nats, DRAIN_TIMEOUT_MS) });
    tell({ type: 'link', isUp: true, at: Date.now() });
    const feed = await startFeed({ nats, cookie, trusted }, hear);
    // What is in the streams is not counted.
    current();
    metrics.begin();
    const tail = createTail(nats, cookie, () => fleet.nodes.size);
    up = { feed, asking: questions(nats, cookie), tail };
    if (end.signal.aborted) return feed[Symbol.dispose]();
    parts.push(feed, tail, startHealthFile(healthFile, nats, log));
    log.info({ cookie, port, readyMs: Math.round(performance.now()) }, 'ready');
  };
  const ready = start();
  ready.catch((error: unknown) => log.error({ err: error }, 'the console could not reach NATS'));
  return {
    port,
    ready,
    [Symbol.asyncDispose]: async () => {
      end.abort();
      // A page that asks now is told that there is no connection.
      up = null;
      clearInterval(ticks);
      clearTimeout(gathering);
      for (const part of parts.toReversed()) {
        if (Symbol.asyncDispose in part) await part[Symbol.asyncDispose]();
        else part[Symbol.dispose]();
      }
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise<void>(resolve => void server.close(() => resolve()));
    },
  };
}
