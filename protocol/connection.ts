/**
 * How every process keeps its NATS connection: it waits for the server as long as it takes, reconnects for ever, and
 * notices within three pings, 6 seconds, that a server went away without a word.
 */
export const CONNECTION = {
  waitOnFirstConnect: true,
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  reconnectJitter: 250,
  pingInterval: 2_000,
  maxPingOut: 2,
  ignoreAuthErrorAbort: true,
} as const;
