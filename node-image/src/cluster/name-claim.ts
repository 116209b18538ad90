import { createInbox, type NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { claimRequest } from '../../../protocol/messages.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import { nodeInbox } from '../../../protocol/inboxes.ts';

/** How long a starting node listens for a container that has its name already (milliseconds). */
const OBJECTION_TIME = 150;

/**
 * Takes a name that no other container of the cluster has, and defends it from then on: whoever has a name objects
 * when another container asks for it, and of two that ask at once the one with the lower container id wins. The
 * loser is called `<name>-<its container id>`, now and after every restart beside the winner.
 */
export async function claimName(
  nats: NatsConnection,
  subjects: Subjects,
  wanted: string,
  container: string,
): Promise<string> {
  if (await claim(nats, subjects, wanted, container)) return wanted;
  return `${wanted}-${container.slice(0, 6)}`;
}

async function claim(nats: NatsConnection, subjects: Subjects, name: string, container: string): Promise<boolean> {
  let settled = false;
  let taken = false;
  const defence = nats.subscribe(subjects.claim(name), {
    callback: (error, message) => {
      const rival = error === null ? rivalIn(message.data) : null;
      if (rival === null) return;
      if (rival !== container && (settled || container < rival)) message.respond();
    },
  });
  const inbox = createInbox(nodeInbox(name));
  const objections = nats.subscribe(inbox, { callback: () => void (taken = true) });
  await nats.flush();
  nats.publish(subjects.claim(name), encode({ container }), { reply: inbox });
  await new Promise(resolve => setTimeout(resolve, OBJECTION_TIME));
  objections.unsubscribe();
  if (taken) defence.unsubscribe();
  settled = true;
  return !taken;
}

/** The container that asks for a name; null when it makes no sense. */
function rivalIn(bytes: Uint8Array): string | null {
  try {
    return decode(claimRequest, bytes).container;
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
