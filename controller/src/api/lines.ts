const LINE_FEED = 0x0a;

/**
 * Yields the lines of a stream of UTF-8, without their ends. Only a line feed ends a line: `node:readline` also splits at
 * U+2028 and U+2029, which JSON has in its strings. What follows the last line feed is not yielded.
 */
export async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let parts: Uint8Array[] = [];
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const line = Buffer.concat([...parts, chunk.subarray(start, end)]).toString();
      parts = [];
      start = end + 1;
      yield line;
    }
    parts.push(chunk.subarray(start));
  }
}
