import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createKeyListWriter } from '../../../../controller/src/store/key-list-writer.ts';
import { type Keyring, openKeyring } from '../../../../controller/src/store/keyring.ts';
import type { Stream } from '../../../../controller/src/store/stream.ts';
import { publicKeyIn } from '../../../../protocol/signing/keys.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { writeControllerKeys } from '../../../support/controller-keys.ts';

const subjects = subjectsOf('dino');
const OVERLAP_MS = 60_000;
const START = 1_700_000_000_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotcast-key-lists-'));
  writeControllerKeys(join(folder, 'keys'), join(folder, 'trust'), 'dino');
  vi.useFakeTimers({ toFake: ['Date'], now: START });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

/** The messages of one subject, as a stream has them. */
class Messages {
  readonly all: Pick<StoredMsg, 'seq' | 'data' | 'time'>[] = [];
  /** Is called before the next write: another controller. */
  before: (() => void) | null = null;

  add(data: Uint8Array): void {
    this.all.push({ seq: (this.all.at(-1)?.seq ?? 0) + 1, data, time: new Date() });
  }

  get stream(): Pick<Stream, 'client' | 'kept' | 'last' | 'purge'> {
    const publish: Stream['client']['publish'] = async (_, data, options) => {
      this.before?.();
      this.before = null;
      const last = this.all.at(-1)?.seq ?? 0;
      if (options?.expect?.lastSubjectSequence !== last) {
        throw new JetStreamApiError({ code: 400, err_code: 10071, description: `wrong last sequence: ${last}` });
      }
      this.add(data);
      return { seq: last + 1, stream: '', domain: '', duplicate: false };
    };
    return {
      client: { publish, publishTogether: async () => undefined },
      kept: async () => this.all as StoredMsg[],
      last: async () => (this.all.at(-1) ?? null) as StoredMsg | null,
      purge: async () => undefined,
    };
  }
}

const open = (): Keyring => openKeyring(join(folder, 'keys'), join(folder, 'trust'), subjects.keys);

/** A controller, what it has told, and how often it has signed everything again. */
function controllerOn(messages: Messages, keyring = open()) {
  const told: number[] = [];
  const signed: (number | undefined)[] = [];
  const lists = createKeyListWriter(messages.stream as Stream, {
    subjects,
    keyring,
    signAgain: async () => void signed.push(keyring.inForce()?.list.number),
    tell: envelope => void told.push(keyring.takeKeyList(envelope) ?? 0),
  });
  return { keyring, told, signed, ...lists };
}

const numbers = (messages: Messages) => messages.all.map(({ data }) => open().takeKeyList(data));

describe('the lists of keys in the stream', () => {
  it('are those that the controller was given: the next one when the overlap is over, with all records signed again', async () => {
    const messages = new Messages();
    const { keyring, told, signed, writeKeyLists } = controllerOn(messages);
    await writeKeyLists();
    expect([numbers(messages), told, signed]).toEqual([[1], [1], []]);
    const { install } = keyring.rotate(OVERLAP_MS);
    await writeKeyLists();
    install();
    vi.setSystemTime(START + OVERLAP_MS - 1);
    await writeKeyLists();
    expect([numbers(messages), told, signed]).toEqual([[1, 2], [1, 2], []]);
    vi.setSystemTime(START + OVERLAP_MS);
    await writeKeyLists();
    // Signed again while the list before it was in force.
    expect([numbers(messages), told, signed]).toEqual([[1, 2, 3], [1, 2, 3], [2]]);
  });

  it('go on with another controller, by the time at which the list before was written', async () => {
    const messages = new Messages();
    const first = controllerOn(messages);
    await first.writeKeyLists();
    const { install } = first.keyring.rotate(OVERLAP_MS);
    await first.writeKeyLists();
    install();
    const second = controllerOn(messages);
    await second.readKeyLists();
    await second.writeKeyLists();
    expect(numbers(messages)).toEqual([1, 2]);
    vi.setSystemTime(START + OVERLAP_MS);
    await second.writeKeyLists();
    expect(numbers(messages)).toEqual([1, 2, 3]);
  });

  it.each<[string, (messages: Messages) => void, (number | null)[]]>([
    [
      'an old one was written after it',
      messages => messages.add(messages.all[0]?.data ?? new Uint8Array()),
      [1, 2, 3, 1, 3],
    ],
    ['something else was', messages => messages.add(Buffer.from('no list')), [1, 2, 3, null, 3]],
    ['all were lost', messages => messages.all.splice(0), [3]],
  ])('have the newest one again when %s', async (_, harm, expected) => {
    const messages = new Messages();
    const { keyring, writeKeyLists } = controllerOn(messages);
    await writeKeyLists();
    keyring.rotate(0).install();
    await writeKeyLists();
    harm(messages);
    expect(await writeKeyLists()).toBe(true);
    expect([numbers(messages), await writeKeyLists()]).toEqual([expected, false]);
  });

  it('are read as a whole by a controller that starts: an old one at the end is not in force', async () => {
    const messages = new Messages();
    const { keyring, writeKeyLists } = controllerOn(messages);
    await writeKeyLists();
    keyring.rotate(0).install();
    await writeKeyLists();
    messages.add(messages.all[0]?.data ?? new Uint8Array());
    const next = controllerOn(messages);
    await next.readKeyLists();
    expect(next.keyring.inForce()?.list.number).toBe(3);
  });

  it('are written once by two controllers', async () => {
    const messages = new Messages();
    const [one, two] = [controllerOn(messages), controllerOn(messages)];
    const list = two.keyring.nextKeyList()?.envelope ?? new Uint8Array();
    messages.before = () => messages.add(list);
    await one.writeKeyLists();
    await two.writeKeyLists();
    expect([numbers(messages), one.keyring.inForce()?.list.number]).toEqual([[1], 1]);
  });

  it('never end the trust in the key that signs', async () => {
    const messages = new Messages();
    const { keyring, writeKeyLists } = controllerOn(messages);
    await writeKeyLists();
    // The new key is not installed: it was lost on its way to the controller.
    keyring.rotate(OVERLAP_MS);
    await writeKeyLists();
    vi.setSystemTime(START + OVERLAP_MS);
    await expect(writeKeyLists()).rejects.toThrow('does not have the key that signs');
    const trusted = (keyring.inForce()?.list.trusted ?? []).map(key => publicKeyIn(key).id);
    expect([numbers(messages), trusted.length]).toEqual([[1, 2], 2]);
    expect(keyring.check).not.toThrow();
  });
});
