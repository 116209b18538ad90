import { headers, type MsgHdrs } from '@nats-io/transport-node';

import type { Keyring } from './keyring.ts';
import { untilAnswered } from './no-answer.ts';
import { isWrongLastSequence, type Stream } from './stream.ts';

/**
 * Reads and writes records whose subjects name their content: each is written once, in a signed envelope.
 *
 * @param isReadable whether this release can read the stored form of a content: if not, a write replaces it.
 */
export function createWriteOnce(
  stream: Stream,
  keyring: Keyring,
  isReadable: (content: Uint8Array) => boolean = () => true,
) {
  const { client } = stream;

  /** The content of a record; null when the stream has none that this cookie's controller has signed. */
  async function read(subject: string): Promise<Uint8Array | null> {
    const message = await stream.last(subject);
    return message === null ? null : keyring.verify(message.subject, message.data);
  }

  /**
   * Writes a record. A second write is refused by the stream and changes nothing: the content is the same.
   *
   * @param headersOf the headers of the message with this envelope.
   */
  async function write(
    subject: string,
    content: Uint8Array,
    headersOf: (signed: Uint8Array) => MsgHdrs = () => headers(),
  ): Promise<void> {
    const signed = keyring.sign(subject, content);
    try {
      const options = { headers: headersOf(signed), expect: { lastSubjectSequence: 0 } };
      await untilAnswered(() => client.publish(subject, signed, options), { waitsForLeader: true });
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error;
      // Somebody without the key may have written there, or a release with another format.
      const stored = await read(subject);
      if (stored !== null && isReadable(stored)) return;
      await client.publish(subject, signed);
      await stream.purge(subject, 1);
    }
  }

  /** Signs a record with the present key. @returns whether another key had signed it. */
  async function signAgain(subject: string): Promise<boolean> {
    const stored = await stream.last(subject);
    if (stored === null || keyring.isCurrent(stored.data)) return false;
    const content = keyring.verify(subject, stored.data);
    if (content === null) return false;
    await client.publish(subject, keyring.sign(subject, content));
    await stream.purge(subject, 1);
    return true;
  }

  return { read, write, signAgain };
}
