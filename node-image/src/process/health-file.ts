import { rmSync, writeFileSync } from 'node:fs';

import type { NatsConnection } from '@nats-io/transport-node';

import { HEARTBEAT_INTERVAL } from '../../../protocol/limits.ts';
import type { Logger } from '../../../shared/logger.ts';

/**
 * Touches a file while the event loop turns and NATS answers. The container's healthcheck looks at its age, which is
 * cheaper than a port or a second process. Disposing removes the file.
 */
export function startHealthFile(path: string, nats: NatsConnection, log: Logger): Disposable {
  let warned = false;
  let stopped = false;
  const touch = (): void => {
    if (stopped || nats.isClosed()) return;
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
