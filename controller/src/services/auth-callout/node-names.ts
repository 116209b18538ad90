import type { NatsConnection } from '@nats-io/transport-node';

import { decode, encode } from '../../../../protocol/codec.ts';
import { type HolderAnswer, holderAnswer, type HolderRequest } from '../../../../protocol/messages.ts';
import { nodeNameOf, serviceOf } from '../../../../protocol/names.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { reverseDns } from '../../../../shared/reverse-dns.ts';

/** How long the roster has to answer (milliseconds). A node that is not admitted tries again by itself. */
const ROSTER_TIMEOUT_MS = 2_000;

/** A client that has proven that it has the key of a cookie's nodes. */
export interface Applicant {
  readonly cookie: string;
  readonly address: string;
  /** The name of the NATS server that it is connected to. */
  readonly server: string;
  /** The first digits of its container's id, as it says. */
  readonly container: string;
}

/** Under which name a node is admitted, or why it is not. */
export type Naming =
  { readonly status: 'named'; readonly name: string } | { readonly status: 'refused'; readonly detail: string };

/** Decides the name of a node. */
export type NameNode = (applicant: Applicant) => Promise<Naming>;

/** The service whose port is for operators: what comes through it is no node. */
const OPERATORS_SERVICE = 'operators';

/**
 * Names follow from Docker's DNS, which has every container of one engine from its start on. Where the DNS has none, outside Docker's
 * networks, a node is called after the id of its container.
 *
 * @param project see {@link nodeNameOf}.
 */
export function namesFromDns(project: string, look: typeof reverseDns = reverseDns): NameNode {
  return async ({ address, container }) => {
    const name = nodeNameOf((await look(address)) ?? `node-${container}x`, project);
    if (serviceOf(name) === OPERATORS_SERVICE) return { status: 'refused', detail: 'it is on the port of operators' };
    return { status: 'named', name };
  };
}

/** Names follow from the roster of the cookie, which knows who has which address on all machines. Nobody else is admitted. */
export function namesFromRoster(nats: Pick<NatsConnection, 'request'>): NameNode {
  return async ({ cookie, address, server }) => {
    const answer = await ask(nats, cookie, { address, server });
    switch (answer.status) {
      case 'member':
        return { status: 'named', name: answer.node };
      case 'duplicate':
        return { status: 'refused', detail: `another container is ${answer.node}` };
      case 'unknown':
        return { status: 'refused', detail: 'the roster knows no container with its address' };
      case 'unavailable':
        return { status: 'refused', detail: answer.detail };
    }
  };
}

async function ask(
  nats: Pick<NatsConnection, 'request'>,
  cookie: string,
  request: HolderRequest,
): Promise<HolderAnswer> {
  try {
    const { data } = await nats.request(subjectsOf(cookie).holder, encode(request), { timeout: ROSTER_TIMEOUT_MS });
    return decode(holderAnswer, data);
  } catch {
    return { status: 'unavailable', detail: 'the roster does not answer' };
  }
}
