import type { NodeConnectionOptions } from '@nats-io/transport-node';

/**
 * The options of every NATS connection. A process waits for the server without a limit, reconnects for ever, and notices
 * within three pings (6 seconds) that the server is gone.
 */
export const CONNECTION_OPTIONS = {
  waitOnFirstConnect: true,
  maxReconnectAttempts: -1,
  // A server that was replaced has another address. An attempt to connect to the old one gets no answer.
  timeout: 5_000,
  reconnectTimeWait: 250,
  reconnectJitter: 250,
  pingInterval: 2_000,
  maxPingOut: 2,
  ignoreAuthErrorAbort: true,
  // Otherwise each request takes a stack trace, for an error that it hardly ever has.
  noAsyncTraces: true,
} as const satisfies NodeConnectionOptions;

/**
 * The options of the few processes that all others wait for. They notice in 3 seconds that their server is gone. A server that they
 * reach admits them at once, without the auth callout: so they wait less for one that is gone, and is still in the DNS.
 */
export const SERVICE_OPTIONS = { pingInterval: 1_000, timeout: 2_000 } as const satisfies NodeConnectionOptions;

/** The file with the certificate authority of NATS, beside the seed. When it exists, the connection uses TLS. */
export const NATS_CA_FILE = 'ca.pem';

/** The file with a role's NATS seed, in its own folder of keys. */
export const NATS_SEED_FILE = 'nats.nk';
