import type { ServerResponse } from 'node:http';

/**
 * Sends a stream at the pace of the client. It is cancelled when the client disconnects; when it fails, the connection ends.
 *
 * @throws TypeError when the stream is locked.
 */
export function sendStream(outgoing: ServerResponse, body: ReadableStream): void {
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  let hasBegun = false;
  // What was written in this turn is sent when it ends.
  const fail = (error: unknown): void =>
    void setImmediate(() =>
      outgoing.destroy(error instanceof Error ? error : new Error(`the body failed: ${String(error)}`)),
    );
  const cancel = (reason: unknown): void => void reader.cancel(reason).catch(() => undefined);
  const pull = (): void => void reader.read().then(take, fail);
  const take = ({ done, value }: Awaited<ReturnType<typeof reader.read>>): void => {
    hasBegun = true;
    if (outgoing.destroyed) return;
    try {
      if (done) outgoing.end();
      else if (outgoing.write(value)) pull();
      else outgoing.once('drain', pull);
    } catch (error) {
      fail(error);
      cancel(error);
    }
  };
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) cancel(outgoing.errored ?? undefined);
  });
  pull();
  // Clients wait for the head of a stream of events, not for its first event.
  setImmediate(() => {
    if (!hasBegun && !outgoing.destroyed) outgoing.flushHeaders();
  });
}
