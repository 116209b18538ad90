import { createInbox, type NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../../protocol/codec.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { claimRequest } from '../../../protocol/messages.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import { nodeInbox } from '../../../protocol/inboxes.ts';

/** How long a starting node waits for an objection of the container that has its name (milliseconds). */
const OBJECTION_TIMEOUT_MS = 150;

/**
 * Claims a name that no other container of the cluster has. The owner of a name objects when another container claims it.
 * When two containers claim it at the same time, the one with the lower container id wins. The loser is called
 * `<name>-<its container id>`, now and after every restart beside the winner.
 */
export async function claimName(
  nats: NatsConnection,
  subjects: Subjects,
  name: string,
  container: string,
): Promise<string> {
  let isOwner = false;
  let taken = false;
  const claims = nats.subscribe(subjects.claim(name), {
    callback: (error, message) => {
      const rival = error === null ? rivalIn(message.data) : null;
      if (rival === null) return;
      if (rival !== container && (isOwner || container < rival)) message.respond();
    },
  });
  const inbox = createInbox(nodeInbox(name));
  const objections = nats.subscribe(inbox, { callback: () => void (taken = true) });
  await nats.flush();
  nats.publish(subjects.claim(name), encode({ container }), { reply: inbox });
  await new Promise(resolve => setTimeout(resolve, OBJECTION_TIMEOUT_MS));
  // An objection that has arrived is read before the answer to this, also when this process was slow.
  await nats.flush();
  objections.unsubscribe();
  if (taken) claims.unsubscribe();
  isOwner = true;
  return taken ? `${name}-${container.slice(0, 6)}` : name;
}

/** The container that claims a name; null when the message is malformed. */
function rivalIn(bytes: Uint8Array): string | null {
  try {
    return decode(claimRequest, bytes).container;
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
}
