import type { StoredMsg } from '@nats-io/jetstream';

import type { Subjects } from '../../../protocol/subjects.ts';
import type { DueList } from './key-lists.ts';
import type { Keyring } from './keyring.ts';
import { isWrongLastSequence, type Stream } from './stream.ts';

/** So many lists stay in the stream. A node that starts reads all of them, because the last one can be an old one. */
const KEPT_LISTS = 16;

interface Options {
  readonly subjects: Subjects;
  readonly keyring: Keyring;
  /** Signs all records with the present key. */
  readonly signAgain: () => Promise<unknown>;
  /** Tells all nodes of the list in force. */
  readonly tell: (envelope: Uint8Array) => void;
}

/** Keeps the list of the keys that nodes trust in the stream: the newest of those that the controller was given and are due. */
export function createKeyListWriter(stream: Stream, { subjects, keyring, signAgain, tell }: Options) {
  /** Takes note of the lists that the stream has: the newest is in force, also if an old one was written after it. */
  async function readKeyLists(): Promise<void> {
    for (const { data } of await stream.kept(subjects.keys)) keyring.takeKeyList(data);
  }

  /** Writes a list after a message; does nothing when another controller was faster. */
  async function write(envelope: Uint8Array, after: StoredMsg | null): Promise<void> {
    try {
      await stream.client.publish(subjects.keys, envelope, { expect: { lastSubjectSequence: after?.seq ?? 0 } });
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error;
      return;
    }
    keyring.takeKeyList(envelope);
    tell(envelope);
    await stream.purge(subjects.keys, KEPT_LISTS);
  }

  /** Whether a list drops a key that is believed now: what it alone has signed could not be loaded any more. */
  function drops({ list }: DueList): boolean {
    const { trusted, ended } = keyring.inForce()?.list ?? { trusted: [], ended: [] };
    const isDropped = (key: string): boolean => !list.trusted.includes(key) && !list.ended.includes(key);
    return trusted.some(key => !list.trusted.includes(key)) || ended.some(isDropped);
  }

  /**
   * Writes the list in force again where it was lost or overwritten, and those that are due.
   *
   * @returns whether it was lost or overwritten.
   */
  async function writeKeyLists(): Promise<boolean> {
    for (let wasLost = false; ;) {
      const last = await stream.last(subjects.keys);
      const number = last === null ? null : keyring.takeKeyList(last.data);
      const inForce = keyring.inForce();
      if (inForce !== null && (number ?? 0) < inForce.list.number) {
        wasLost = true;
        await write(inForce.envelope, last);
        continue;
      }
      const next = keyring.nextKeyList();
      if (next === null || !isDue(next, last)) return wasLost;
      keyring.checkSigning(next.list);
      if (drops(next)) await signAgain();
      await write(next.envelope, last);
    }
  }

  return { readKeyLists, writeKeyLists };
}

/** Whether the list before it has been in force for long enough. The time is NATS's; nodes do not ask for it. */
function isDue({ afterMs }: DueList, before: StoredMsg | null): boolean {
  return afterMs === 0 || before === null || before.time.getTime() + afterMs <= Date.now();
}
