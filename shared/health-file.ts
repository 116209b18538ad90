import { rmSync, writeFileSync } from 'node:fs';

import type { NatsConnection } from '@nats-io/transport-node';

import type { Logger } from './logger.ts';

/**
 * Touches a file while the event loop turns, NATS answers, and the process says that it is healthy. The container's healthcheck
 * looks at its age, which is cheaper than a port or a second process. Disposing removes the file.
 */
export function startHealthFile(
  path: string,
  nats: NatsConnection,
  log: Logger,
  isHealthy: () => boolean = () => true,
): Disposable {
  let warned = false;
  let stopped = false;
  const touch = (): void => {
    if (stopped || nats.isClosed() || !isHealthy()) return;
    try {
      writeFileSync(path, `${Date.now()}\n`);
    } catch (error) {
      if (!warned) log.warn({ err: error, path }, 'the health file could not be written');
      warned = true;
    }
  };
  touch();
  // A round trip in the packets of the connection's own pings: without an answer of the server the file is not touched.
  const touchAtPings = async (): Promise<void> => {
    for await (const { type } of nats.status()) if (type === 'ping') void nats.flush().then(touch, () => undefined);
  };
  void touchAtPings();
  return {
    [Symbol.dispose]: () => {
      stopped = true;
      rmSync(path, { force: true });
    },
  };
}
