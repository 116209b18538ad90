/** What is read ahead of a body at most: so many bytes, and so many chunks after the first. */
const MAX_BYTES = 64 * 1024;
const MAX_CHUNKS = 64;

/** A body that was read to its end, or a stream of what was read and what is to come. */
export type ReadAhead =
  | { readonly status: 'complete'; readonly chunks: readonly Uint8Array[]; readonly bytes: number }
  | { readonly status: 'stream'; readonly body: ReadableStream };

/**
 * Reads a body for as long as it comes in the same turn of the event loop: a text, bytes and JSON come whole, so their length
 * is known. A stream is not held up for longer than that turn.
 */
export async function readAhead(body: ReadableStream): Promise<ReadAhead> {
  const reader = (body as ReadableStream<unknown>).getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let isNextTurn = false;
  const nextTurn = new Promise<null>(resolve => {
    setImmediate(() => {
      isNextTurn = true;
      resolve(null);
    });
  });
  for (;;) {
    const reading = reader.read();
    // An error reaches whoever reads on.
    const read = await Promise.race([reading, nextTurn]).catch(() => null);
    if (read === null) return { status: 'stream', body: streamOf(chunks, reader, reading) };
    if (read.done) return { status: 'complete', chunks, bytes };
    if (!(read.value instanceof Uint8Array)) return { status: 'stream', body: streamOf(chunks, reader, reading) };
    chunks.push(read.value);
    bytes += read.value.byteLength;
    const isLong = chunks.length > 1 && (bytes > MAX_BYTES || chunks.length > MAX_CHUNKS);
    if (isLong || isNextTurn) return { status: 'stream', body: streamOf(chunks, reader, reader.read()) };
  }
}

/** The chunks that were read, what is being read, and the rest. */
function streamOf(
  chunks: readonly Uint8Array[],
  reader: ReadableStreamDefaultReader<unknown>,
  reading: ReturnType<typeof reader.read>,
): ReadableStream {
  // It rejects before somebody reads it, perhaps.
  reading.catch(() => undefined);
  let next: typeof reading | null = reading;
  return new ReadableStream<unknown>(
    {
      start: controller => chunks.forEach(chunk => controller.enqueue(chunk)),
      pull: async controller => {
        const { done, value } = await (next ?? reader.read());
        next = null;
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: reason => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
