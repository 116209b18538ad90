import { JetStreamError } from '@nats-io/jetstream';

/** The status of a message that says that nobody is there. */
const NO_RESPONDERS = 503;

/** Nobody answers for the stream: the controller has not made it yet, or no server has it. */
export class NoStreamError extends Error {
  override readonly name = 'NoStreamError';
}

/** Reads the stream. @throws NoStreamError when nobody answers for it. */
export async function fromStream<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    const isNobodyThere = cause instanceof JetStreamError && 'code' in cause && cause.code === NO_RESPONDERS;
    if (!isNobodyThere) throw cause;
    throw new NoStreamError('nobody answers for the stream', { cause });
  }
}
