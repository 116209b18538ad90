import { nkeys } from '@nats-io/transport-node';

import { encode } from '../../../../protocol/codec.ts';
import { UsageError } from '../../../../protocol/errors.ts';
import type { OperatorChange } from '../../../../protocol/operators/operator.ts';
import type { Handler } from '../context.ts';

/** Makes an operator, with a new key. Its private half is in the credentials, and nowhere else. @throws UsageError */
export const addOperator: Handler<'operator add'> = async (context, { name, may, url, expiresAt, author }) => {
  const authority = context.natsAuthority();
  if (url.includes('tls://') && authority === null) {
    throw new UsageError('NATS has no TLS here; start it with NATS_TLS=1, and the name of --url in NATS_HOSTS');
  }
  const pair = nkeys.createUser();
  const now = { addedBy: author, addedAt: Date.now(), expiresAt, revokedAt: null };
  const operator = { name, key: pair.getPublicKey(), may, ...now };
  await context.store.addOperator(operator);
  const { cookie } = context;
  const seed = Buffer.from(pair.getSeed()).toString();
  return { command: 'operator add', may, credentials: { cookie, name, url, seed, authority, expiresAt } };
};

/** Refuses an operator from now on. The auth callout and the controllers hear of it, and close what it has open. @throws UsageError */
export const revokeOperator: Handler<'operator revoke'> = async ({ nats, subjects, store }, { name }) => {
  const { key } = await store.revokeOperator(name, Date.now());
  nats.publish(subjects.operatorChange, encode({ name, key } satisfies OperatorChange));
  await nats.flush();
  return { command: 'operator revoke', name };
};

export const listOperators: Handler<'operator list'> = async ({ store }) => {
  return { command: 'operator list', operators: await store.operators() };
};
