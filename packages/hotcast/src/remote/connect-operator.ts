import { connect, errors, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';

import { UnavailableError } from '../../../../protocol/errors.ts';
import { operatorInbox } from '../../../../protocol/inboxes.ts';
import type { Credentials } from '../../../../protocol/operators/credentials.ts';
import { endText } from '../../../../protocol/operators/operator.ts';
import { CONNECTION_OPTIONS } from '../../../../shared/nats/options.ts';

/** Connects to NATS as an operator. A connection that is lost is not made again: its command is lost too. @throws UnavailableError */
export async function connectOperator(credentials: Credentials): Promise<NatsConnection> {
  const { cookie, name, url, seed, authority } = credentials;
  const tls = url.startsWith('tls:') || authority !== null ? { tls: authority === null ? {} : { ca: authority } } : {};
  try {
    return await connect({
      ...CONNECTION_OPTIONS,
      ...tls,
      servers: url.split(','),
      name: `hotcast-operator ${cookie}`,
      inboxPrefix: operatorInbox(name),
      authenticator: nkeyAuthenticator(Buffer.from(seed)),
      waitOnFirstConnect: false,
      reconnect: false,
    });
  } catch (cause) {
    throw new UnavailableError(`${problemOf(cause, credentials)}; nothing was sent`, { cause });
  }
}

function problemOf(error: unknown, { name, url, expiresAt }: Credentials): string {
  const all = chain(error);
  if (all.some(each => each instanceof errors.AuthorizationError)) {
    // This machine's clock explains; it decides nothing.
    const expired = endText({ name, expiresAt, revokedAt: null }, Date.now());
    return `${url} does not admit ${name}: ${expired ?? 'it was revoked, or no controller runs'}`;
  }
  const detail = all.map(({ message }) => message).find(message => message !== '') ?? '';
  if (all.some(({ message }) => /certificate|altname|self.signed|TLS/i.test(message))) {
    return `the certificate of ${url} is not the one of the credentials (${detail})`;
  }
  return `no NATS server answers at ${url} (${detail})`;
}

/** An error and its causes. */
function chain(error: unknown): Error[] {
  return error instanceof Error ? [error, ...chain(error.cause)] : [];
}
