import type { NatsConnection } from '@nats-io/transport-node';

import { leave } from '../../protocol/connection.ts';
import type { Logger } from './logger.ts';

/** A process that is told to stop waits this long for what it has still to send (milliseconds). */
export const MAY_DRAIN = 500;

/** Ends the process, cleanly and soon, when it is told to. */
export function stopOnSignals(nats: NatsConnection, log: Logger): void {
  const stop = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'stopped');
    void leave(nats, MAY_DRAIN).then(() => process.exit(0));
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}
