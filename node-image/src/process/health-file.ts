import { rmSync, writeFileSync } from 'node:fs';

import type { NatsConnection } from '@nats-io/transport-node';

import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { Logger } from '../../../shared/logger.ts';

/**
 * Touches a file while the event loop turns and NATS is reached: what the container's healthcheck looks at, cheaper
 * than a port or a second process.
 */
export function startHealthFile(path: string, nats: NatsConnection, log: Logger): { stop: () => void } {
  let warned = false;
  const touch = (): void => {
    if (nats.isClosed()) return;
    try {
      writeFileSync(path, `${Date.now()}\n`);
    } catch (error) {
      if (!warned) log.warn({ err: error, path }, 'the file for the healthcheck could not be written');
      warned = true;
    }
  };
  touch();
  const timer = setInterval(() => {
    // A round trip, so that a lost server stops the touching.
    void nats.flush().then(touch, () => undefined);
  }, HEARTBEAT_INTERVAL);
  return {
    stop: () => {
      clearInterval(timer);
      rmSync(path, { force: true });
    },
  };
}
