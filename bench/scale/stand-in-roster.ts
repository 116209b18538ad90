import { encode } from '../../protocol/codec.ts';
import type { RosterAnswer } from '../../protocol/messages.ts';
import { subjectsOf } from '../../protocol/subjects.ts';
import { connectAs } from './connect.ts';
import { COOKIE } from './nats-users.ts';
import { inboxPrefix } from '../../protocol/inboxes.ts';

type Container = Extract<RosterAnswer, { readonly status: 'containers' }>['containers'][number];

/** The container that Docker would have for a simulated node; numbers count from 1. */
export function containerOf(number: number): Pick<Container, 'id' | 'name'> {
  return { id: number.toString(16).padStart(12, '0'), name: `hotcast-node-${number}` };
}

/**
 * Runs in a process of its own, as the roster does, and answers the controller with the nodes that its parent sends the
 * count of: no engine knows them.
 */
export async function standInForRoster(): Promise<void> {
  process.on('disconnect', () => process.exit());
  const containers: Container[] = [];
  const nats = await connectAs('roster', inboxPrefix('roster'));
  nats.subscribe(subjectsOf(COOKIE).roster, {
    callback: (error, question) => {
      if (error === null) question.respond(encode({ status: 'containers', containers } satisfies RosterAnswer));
    },
  });
  await nats.flush();
  process.on('message', count => {
    const createdAt = Date.now();
    while (containers.length < Number(count)) {
      containers.push({ ...containerOf(containers.length + 1), state: 'running', createdAt });
    }
    process.send?.('started');
  });
}
