import type { NatsConnection } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';

import { namesFromDns, namesFromRoster } from '../../../../../controller/src/services/auth-callout/node-names.ts';
import { decode, encode } from '../../../../../protocol/codec.ts';
import { holderRequest } from '../../../../../protocol/messages.ts';

const applicant = { cookie: 'dino', address: '10.0.1.7', server: 'nats-machine-1', container: '3f2a9c' };

/** Names from a roster with this answer. */
function rosterWith(answer: object | Error) {
  const asked: string[] = [];
  const request = async (subject: string, payload: Uint8Array) => {
    const { address, server } = decode(holderRequest, payload);
    asked.push(`${subject} ${address} ${server}`);
    if (answer instanceof Error) throw answer;
    return { data: encode(answer) };
  };
  return { asked, nameNode: namesFromRoster({ request } as unknown as NatsConnection) };
}

describe('names from the roster', () => {
  it('are those of the members of the cookie, by their addresses', async () => {
    const { asked, nameNode } = rosterWith({ protocol: 2, status: 'member', node: 'fred' });
    expect(await nameNode(applicant)).toEqual({ status: 'named', name: 'fred' });
    expect(asked).toEqual(['hotcast.dino.holder 10.0.1.7 nats-machine-1']);
  });

  it.each([
    [{ status: 'duplicate', node: 'fred' }, 'another container is fred'],
    [{ status: 'unknown' }, 'the roster knows no container with its address'],
    [{ status: 'unavailable', detail: 'no leader' }, 'no leader'],
    [new Error('timeout'), 'the roster does not answer'],
    [{ status: 'member', node: 'Fred Flintstone' }, 'the roster does not answer'],
  ])('are refused for any other answer: %j', async (answer, detail) => {
    expect(await rosterWith(answer).nameNode(applicant)).toEqual({ status: 'refused', detail });
  });
});

describe('names from the DNS', () => {
  it('are those of containers, and of the id where there is none', async () => {
    const named = (host: string | null) => namesFromDns('hotcast', async () => host)(applicant);
    expect(await named('hotcast-node-2')).toEqual({ status: 'named', name: 'bambam' });
    expect(await named(null)).toEqual({ status: 'named', name: 'node-3f2a9cx' });
  });
});
