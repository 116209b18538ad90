import { PassThrough, Readable } from 'node:stream';

import type Dockerode from 'dockerode';

import { linesOf } from '../../../../controller/src/api/lines.ts';
import { engine } from './engine.ts';

/** The size of the chunks into which a whole log is cut (bytes). */
const CHUNK_BYTES = 65_536;

/** The lines of a container's log. With `follow`, new lines too, until the container stops or the signal aborts. */
export async function* logLines(
  container: Dockerode.Container,
  { follow, signal }: { follow: boolean; signal: AbortSignal },
): AsyncGenerator<string, void, undefined> {
  const docker = await engine();
  const options = { stdout: true, stderr: true, abortSignal: signal };
  const text = new PassThrough();
  const source = Readable.from(
    follow ? await container.logs({ ...options, follow }) : chunks(await container.logs({ ...options, follow })),
  );
  docker.modem.demuxStream(source, text, text);
  // An abort ends the log in the same way as the end of the container.
  source.once('end', () => text.end()).once('error', () => text.end());
  try {
    yield* linesOf(text);
  } finally {
    source.destroy();
  }
}

/** Cuts a whole log into chunks, as a socket would deliver it: dockerode recurses once for each line of a chunk. */
function* chunks(bytes: Buffer): Generator<Buffer, void, undefined> {
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) yield bytes.subarray(from, from + CHUNK_BYTES);
}
