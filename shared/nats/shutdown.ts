import { orNullAfter } from '../timeout.ts';

/**
 * Closes a connection after everything that was published has been sent. When that takes longer than `timeoutMs`
 * (milliseconds), or the connection is lost, it is closed at once: the process ends in any case.
 */
export async function drainConnection(
  connection: { drain(): Promise<void>; close(): Promise<void> },
  timeoutMs: number,
): Promise<void> {
  const drained = connection.drain().then(() => true);
  if ((await orNullAfter(timeoutMs, drained)) === null) await connection.close();
}
