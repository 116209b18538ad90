import type { StoredMsg } from '@nats-io/jetstream';

import { encodeRecord } from '../../../protocol/codec.ts';
import type { Head } from '../../../protocol/head.ts';
import type { HeadResult } from '../../../protocol/history/head-result.ts';
import type { Subjects } from '../../../protocol/subjects.ts';
import type { Keyring } from './keyring.ts';
import { isWrongLastSequence, type Stream } from './stream.ts';
import { createWriteOnce } from './write-once.ts';

/** All records of the stream as they are, for a backup, and how they are restored. */
export function createRawRecords(stream: Stream, subjects: Subjects, keyring: Keyring) {
  const writeOnce = createWriteOnce(stream, keyring);

  /** Every record. The heads are the first: what they name is in the stream by then. Unsigned ones are left out. */
  async function* records(): AsyncGenerator<Pick<StoredMsg, 'subject' | 'data'>, void, undefined> {
    for (const filter of [subjects.heads, subjects.headResults]) {
      for (const subject of Object.keys(await stream.subjects(filter))) {
        for (const message of await stream.kept(subject)) {
          if (filter === subjects.headResults || keyring.verify(subject, message.data) !== null) yield message;
        }
      }
    }
    for (const filter of [subjects.bundles, subjects.packageSets, subjects.archives]) {
      for (const subject of Object.keys(await stream.subjects(filter))) {
        const message = await stream.last(subject);
        if (message !== null && keyring.verify(subject, message.data) !== null) yield message;
      }
    }
  }

  /** Writes a record that is written once: a bundle, a package set, or a part of an archive. */
  async function writeRecord(subject: string, content: Uint8Array): Promise<void> {
    await writeOnce.write(subject, content);
  }

  /**
   * Writes the heads of a module, all or none, if the stream has none of it; and their results first, so that no controller
   * takes a head for the work of one that died.
   */
  async function writeHistory(module: string, heads: readonly Head[], results: readonly HeadResult[]): Promise<void> {
    const subject = subjects.head(module);
    const [last, ...earlier] = heads.toSorted((a, b) => b.sequence - a.sequence);
    if (last === undefined || (await stream.last(subject)) !== null) return;
    const { sequence } = last;
    const known = results.some(each => each.sequence === sequence);
    const counts = { loaded: 0, refused: 0, silent: 0 };
    const missing: HeadResult[] = known ? [] : [{ module, sequence, verdict: 'committed', ...counts }];
    for (const result of [...results, ...missing].toSorted((a, b) => a.sequence - b.sequence)) {
      await stream.client.publish(subjects.headResult(module), encodeRecord(result));
    }
    const messages = [...earlier.toReversed(), last].map(head => ({
      subject,
      data: keyring.sign(subject, encodeRecord(head)),
    }));
    try {
      await stream.client.publishTogether(
        messages.map((message, index) => (index === 0 ? { ...message, position: 0 } : message)),
      );
    } catch (error) {
      // Somebody has pushed the module meanwhile: that is its history.
      if (!isWrongLastSequence(error)) throw error;
    }
  }

  return { records, writeRecord, writeHistory };
}
