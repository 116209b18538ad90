import { orNullAfter } from '../timeout.ts';

/**
 * Closes a connection after everything that was published has been sent. A connection that is lost meanwhile, or takes longer
 * than `timeoutMs` (milliseconds), is closed as it is: the process ends in any case.
 */
export async function drainConnection(
  connection: { drain(): Promise<void>; close(): Promise<void> },
  timeoutMs: number,
): Promise<void> {
  if (
    (await orNullAfter(
      timeoutMs,
      connection.drain().then(() => true),
    )) === null
  )
    await connection.close();
}
