import { rmSync, writeFileSync } from 'node:fs';

import type { NatsConnection } from '@nats-io/transport-node';

import { HEARTBEAT_INTERVAL } from '../protocol/limits.ts';
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
  const timer = setInterval(() => {
    // A round trip: without an answer of the server the file is not touched.
    void nats.flush().then(touch, () => undefined);
  }, HEARTBEAT_INTERVAL);
  return {
    [Symbol.dispose]: () => {
      stopped = true;
      clearInterval(timer);
      rmSync(path, { force: true });
    },
  };
}
