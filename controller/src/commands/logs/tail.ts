import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

import { decode, encode } from '../../../../protocol/codec.ts';
import { DecodeError } from '../../../../protocol/errors.ts';
import {
  logMessage,
  MAX_LOG_MESSAGE_BYTES,
  MAX_TAIL_RATE,
  passes,
  TAIL_RENEWAL_MS,
  tailAnswer,
  type TailRequest,
} from '../../../../protocol/logs.ts';
import { lastToken } from '../../../../protocol/subjects.ts';
import { askNodes, silentAmong } from '../../fleet/ask-nodes.ts';
import { EventBudget } from '../../fleet/event-budget.ts';
import type { Handler } from '../context.ts';
import { selectNodes } from '../select-nodes.ts';
import { Folding } from './folding.ts';

/** So many lines a second all nodes together send to a tail. */
const FLEET_RATE = 1_000;

/** The time between two looks at what has arrived (milliseconds). */
const TICK_MS = 100;

/** The number of dropped entries is told so often (milliseconds). */
const DROPPED_INTERVAL_MS = 1_000;

/**
 * Shows what modules log and throw, as it happens, until its client goes. The nodes send it only while a lease lasts, which this
 * renews.
 */
export const tail: Handler<'tail', never> = async (context, command, report, signal, holds) => {
  const { nats, subjects, membership } = context;
  const { node, modules, level, grep, timeoutMs } = command;
  holds('the nodes send no logs any more');
  const expected = selectNodes(await membership.expected(), node, report);
  const rate = Math.min(MAX_TAIL_RATE, FLEET_RATE / expected.size);
  const filter = { modules: [...modules], level, grep };
  const request: TailRequest = { id: randomUUID(), rate, ...filter };
  const ask = (body: TailRequest): void =>
    nats.publish(node === null ? subjects.all('tail') : subjects.node(node, 'tail'), encode(body));

  const folding = new Folding();
  const budget = new EventBudget();
  const subscription = nats.subscribe(node === null ? subjects.logs : subjects.log(node), {
    callback: (error, { subject, data }) => {
      const sender = lastToken(subject);
      if (error !== null || data.length > MAX_LOG_MESSAGE_BYTES || !budget.take(sender)) return;
      try {
        const { entries, dropped } = decode(logMessage, data);
        for (const entry of entries) if (passes(filter, entry)) folding.add(sender, entry);
        folding.drop(dropped);
      } catch (cause) {
        // What a node sends that is no log is not shown.
        if (!(cause instanceof DecodeError)) throw cause;
      }
    },
  });
  let toldDroppedAt = performance.now();
  const show = (): void => {
    const isDroppedDue = performance.now() - toldDroppedAt >= DROPPED_INTERVAL_MS;
    const dropped = isDroppedDue ? folding.takeDropped() : 0;
    if (isDroppedDue) toldDroppedAt = performance.now();
    const entries = folding.takeEntries();
    if (entries.length > 0 || dropped > 0) report({ type: 'logged', entries, dropped });
  };
  const timers = [setInterval(show, TICK_MS), setInterval(() => ask(request), TAIL_RENEWAL_MS)];
  try {
    const how = { verb: 'tail', node, expected, timeoutMs, signal, schema: tailAnswer, body: encode(request) } as const;
    const silent = silentAmong(expected, await askNodes(context, how));
    const names = silent.map(each => each.node).join(', ');
    if (names !== '')
      report({ type: 'warning', message: `no answer of ${names}; what they log is shown once they answer` });
    const who = node ?? (expected.size === 1 ? 'one node' : `${expected.size} nodes`);
    report({ type: 'warning', message: `what modules log on ${who} is shown until Ctrl+C` });
    if (!signal.aborted) await once(signal, 'abort');
    throw signal.reason;
  } finally {
    timers.forEach(clearInterval);
    subscription.unsubscribe();
    if (!nats.isClosed()) ask({ ...request, rate: 0 });
  }
};
