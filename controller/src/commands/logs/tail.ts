import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

import { encode } from '../../../../protocol/codec.ts';
import { MAX_TAIL_RATE, TAIL_RENEWAL_MS, tailAnswer, type TailRequest } from '../../../../protocol/logs.ts';
import { lastToken } from '../../../../protocol/subjects.ts';
import { askNodes, silentAmong } from '../../fleet/ask-nodes.ts';
import type { Handler } from '../context.ts';
import { selectNodes } from '../select-nodes.ts';
import { Folding } from './folding.ts';
import { logReader } from './log-reader.ts';

/** So many lines a second all nodes together send to a tail: three times as many as it shows when they differ. */
const FLEET_RATE = 300;

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
  const { node, group, modules, level, grep, timeoutMs } = command;
  holds('the nodes send no logs any more');
  const asked = await selectNodes(context, await membership.expected(), { node, group }, report);
  const { expected, only, has } = asked;
  const filter = { modules: [...modules], level, grep };
  const request: TailRequest = { id: randomUUID(), rate: rateOf(expected.size), ...filter };
  const present = (): string[] => membership.present().flatMap(each => (has(each.node) ? [each.node] : []));
  const ask = (body: TailRequest): void => {
    const names = new Set([...expected, ...present()]);
    const to = only ? [...names].map(each => subjects.node(each, 'tail')) : [subjects.all('tail')];
    for (const subject of to) nats.publish(subject, encode(body));
  };

  const folding = new Folding();
  const read = logReader(filter, folding);
  const subscription = nats.subscribe(node === null ? subjects.logs : subjects.log(node), {
    callback: (error, { subject, data }) => {
      if (error === null && has(lastToken(subject))) read(lastToken(subject), data);
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
  // Nodes come and go, and share the rate.
  const renew = (): void => ask({ ...request, rate: rateOf(present().length) });
  const timers = [setInterval(show, TICK_MS), setInterval(renew, TAIL_RENEWAL_MS)];
  try {
    const how = { verb: 'tail', ...asked, timeoutMs, signal, schema: tailAnswer, body: encode(request) } as const;
    const silent = silentAmong(asked, await askNodes(context, how));
    const names = silent.map(each => each.node).join(', ');
    if (names !== '')
      report({ type: 'warning', message: `no answer of ${names}; what they log is shown once they answer` });
    const who =
      node ??
      `${expected.size === 1 ? 'one node' : `${expected.size} nodes`}${group === undefined ? '' : ` of ${group}`}`;
    report({ type: 'note', message: `what modules log on ${who} is shown until Ctrl+C` });
    if (!signal.aborted) await once(signal, 'abort');
    throw signal.reason;
  } finally {
    timers.forEach(clearInterval);
    subscription.unsubscribe();
    if (!nats.isClosed()) ask({ ...request, rate: 0 });
  }
};

/** The lines a second that each of several nodes can send. */
function rateOf(nodes: number): number {
  return Math.min(MAX_TAIL_RATE, FLEET_RATE / Math.max(1, nodes));
}
