import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

import { createInbox } from '@nats-io/transport-node';
import { sum } from 'simple-statistics';

import { encode } from '../../protocol/codec.ts';
import { inboxPrefix } from '../../protocol/inboxes.ts';
import type { RosterAnswer } from '../../protocol/messages.ts';
import { fanOut, serveOrders } from '../orders.ts';
import { BARE, connectAs, containerOf, subjects } from './cluster.ts';
import { simulateController, TRUST_DIR, writeKeys } from './controller.ts';
import { simulateNodes } from './nodes.ts';
import type { Usage } from './scale.ts';

/** Processes that simulate nodes. */
const PROCESSES = 4;

/** Linux counts resident memory in pages (bytes). */
const PAGE = 4_096;

/** Runs beside NATS: as the driver, which is controller and roster too, and starts itself as processes with nodes. */
async function drive(): Promise<void> {
  writeKeys();
  const child = (): ChildProcess => fork(import.meta.filename, ['nodes'], { stdio: ['ignore', 2, 2, 'ipc'] });
  const simulators = Array.from({ length: PROCESSES }, child);
  const controller = await simulateController();
  const roster = await connectAs('roster', inboxPrefix('roster'));
  let nodes = 0;
  let containers = rosterAnswer(nodes);
  roster.subscribe(subjects.roster, { callback: (_, question) => void question.respond(containers) });
  await serveOrders({
    /** Starts nodes until there are so many: the time until the new ones answer. */
    grow: async count => {
      const startedAt = performance.now();
      const fresh = Array.from({ length: count - nodes }, (_, index) => nodes + index + 1);
      const share = (index: number): number[] => fresh.filter(number => number % PROCESSES === index);
      await Promise.all(simulators.map((simulator, index) => startNodes(simulator, share(index))));
      nodes = count;
      containers = rosterAnswer(nodes);
      return { ms: performance.now() - startedAt };
    },
    push: async bytes => {
      controller.compile(bytes);
      return withProcessorTime(() => controller.push(nodes));
    },
    bare: async bytes => {
      const inbox = createInbox(inboxPrefix('controller'));
      const message = { subject: BARE, payload: controller.signed(bytes), inbox };
      return withProcessorTime(async () => ({ ms: await fanOut(controller.nats, message, nodes, 60_000) }));
    },
    usage: async (): Promise<Usage> => {
      const varz = await (await fetch('http://127.0.0.1:8222/varz')).json();
      const { in_bytes: received, out_bytes: sent } = varz as Record<'in_bytes' | 'out_bytes', number>;
      const all = simulators.map(({ pid = 0 }) => usageOf(pid));
      const together = { cpu: sum(all.map(({ cpu }) => cpu)), rss: sum(all.map(({ rss }) => rss)) };
      // NATS is the first process of the other container, whose processes this one sees.
      return { nats: usageOf(1), controller: usageOf(process.pid), nodes: together, received, sent };
    },
  });
}

/** Resolves when a process has started the nodes with these numbers. */
async function startNodes(simulator: ChildProcess, numbers: readonly number[]): Promise<void> {
  simulator.send(numbers);
  const [message] = (await Promise.race([once(simulator, 'message'), once(simulator, 'exit')])) as [unknown];
  if (message !== 'started') throw new Error('a process of the simulation has ended');
}

/** The answer of a roster that knows so many containers. */
function rosterAnswer(nodes: number): Uint8Array {
  const all = Array.from({ length: nodes }, (_, index) => ({ ...containerOf(index + 1), state: 'running' }));
  return encode({ status: 'containers', containers: all } satisfies RosterAnswer);
}

/** What something resolves with, and the processor time that this process takes for it (milliseconds). */
async function withProcessorTime<T extends object>(body: () => Promise<T>): Promise<T & { readonly cpu: number }> {
  const before = process.cpuUsage();
  const result = await body();
  const { user, system } = process.cpuUsage(before);
  return { ...result, cpu: (user + system) / 1_000 };
}

/** Linux's counts for a process: the nanoseconds that each of its threads has run, and its pages. */
function usageOf(pid: number) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const numbers = (file: string): number[] => readFileSync(`/proc/${pid}/${file}`, 'latin1').split(' ').map(Number);
  const [, pages = NaN] = numbers('statm');
  return { cpu: sum(threads.map(thread => numbers(`task/${thread}/schedstat`)[0] ?? NaN)) / 1e6, rss: pages * PAGE };
}

if (process.argv[2] === 'nodes') simulateNodes(TRUST_DIR);
else await drive();
