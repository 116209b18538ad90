import { JetStreamApiCodes, JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import { TimeoutError } from '@nats-io/transport-node';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createFormatGuard, NewerStreamError } from '../../../../controller/src/store/format-guard.ts';
import { createHeads } from '../../../../controller/src/store/heads.ts';
import type { Keyring } from '../../../../controller/src/store/keyring.ts';
import type { BatchMessage, Stream } from '../../../../controller/src/store/stream.ts';
import { encode } from '../../../../protocol/codec.ts';
import { FORMAT } from '../../../../protocol/version.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { headOf } from '../../fixtures.ts';

const subjects = subjectsOf('dino');
const REVISION = 'a'.repeat(64);

/** Heads over a stream in memory. What begins with the subject was signed for it. */
function open() {
  let messages: StoredMsg[] = [];
  let key = '';
  const keyring = {
    isCurrent: (bytes: Uint8Array) => Buffer.from(bytes).toString().endsWith(key),
    sign: (subject: string, payload: Uint8Array) => Buffer.concat([Buffer.from(subject), payload, Buffer.from(key)]),
    verify: (subject: string, bytes: Uint8Array) =>
      Buffer.from(bytes).toString().startsWith(subject) ? Buffer.from(bytes.subarray(subject.length)) : null,
  } as unknown as Keyring;
  const of = (subject: string): StoredMsg[] => messages.filter(message => message.subject === subject);
  const write = (subject: string, data: Uint8Array): void => {
    const seq = messages.length + 1;
    messages.push({ subject, data, seq, timestamp: String(seq) } as StoredMsg);
  };
  const client = {
    publishTogether: async (batch: readonly BatchMessage[]) => {
      for (const { subject, data } of batch) write(subject, data);
    },
  };
  const stream = {
    client,
    last: async (subject: string) => of(subject).at(-1) ?? null,
    lastOfEach: async () =>
      [...new Set(messages.map(({ subject }) => subject))]
        .filter(each => each.includes('.head.'))
        .flatMap(each => of(each).at(-1) ?? []),
    kept: async (subject: string) => of(subject),
    subjects: async (subject: string) => (of(subject).length > 0 ? { [subject]: of(subject).length } : {}),
  } as unknown as Stream;
  const wipe = (): void => void (messages = []);
  const guard = createFormatGuard();
  const rotate = (): void => void (key = ' by another key');
  const sign = keyring.sign.bind(keyring);
  return { heads: createHeads(stream, subjects, keyring, guard), guard, sign, write, wipe, rotate, client };
}

const subject = subjects.head('demo');

describe('the highest sequence of a module', () => {
  it('is that of the last head in the stream, 0 for none, and stays when the stream is lost', async () => {
    const { heads, wipe } = open();
    expect(heads.highestSequence('demo')).toBe(0);
    await heads.writeHeads([{ head: headOf('demo', REVISION, 7), position: 0 }]);
    await heads.lastHead('demo');
    expect(heads.highestSequence('demo')).toBe(7);
    wipe();
    expect(await heads.lastHead('demo')).toEqual({ head: null, position: 0 });
    expect(heads.highestSequence('demo')).toBe(7);
  });

  it('is that of a newer head that a node shows, if this cookie has signed it for the module', () => {
    const { heads, sign } = open();
    heads.noteHead('demo', encode(headOf('demo', REVISION, 2 ** 50)));
    heads.noteHead('demo', sign(subjects.head('other'), encode(headOf('other', REVISION, 99))));
    expect(heads.highestSequence('demo')).toBe(0);
    heads.noteHead('demo', sign(subject, encode(headOf('demo', REVISION, 9))));
    heads.noteHead('demo', sign(subject, encode(headOf('demo', REVISION, 8))));
    expect(heads.highestSequence('demo')).toBe(9);
  });
});

it('a head is known without a question to the stream once it was written', async () => {
  const { heads } = open();
  expect(heads.knownHead('demo')).toBeNull();
  await heads.writeHeads([{ head: headOf('demo', REVISION, 7), position: 0 }]);
  expect(heads.knownHead('demo')).toMatchObject({ sequence: 7 });
});

it('a signed record that is no head hides no other head, and is replaced by the last one', async () => {
  const { heads, sign, write } = open();
  const head = headOf('demo', REVISION, 7);
  await heads.writeHeads([{ head, position: 0 }]);
  write(subjects.head('other'), sign(subjects.head('other'), encode(headOf('other', REVISION, 3))));
  write(subjects.bundle('demo', REVISION), new Uint8Array());
  write(subject, sign(subject, encode({ sequence: 'poison' })));
  expect((await heads.heads()).map(({ module }) => module).toSorted()).toEqual(['demo', 'other']);
  expect(await heads.restoreHeads()).toEqual(['demo']);
  expect((await heads.lastHead('demo')).head).toEqual(head);
});

describe('a stream that a later release has written to', () => {
  const newer = encode({ ...headOf('demo', REVISION, 9), format: FORMAT + 1 });

  it('is not written to, and no head is restored over the newer one', async () => {
    const { heads, guard, sign, write } = open();
    await heads.writeHeads([{ head: headOf('demo', REVISION, 7), position: 0 }]);
    expect(guard.newerText()).toBeNull();
    write(subject, sign(subject, newer));
    expect(await heads.heads()).toEqual([headOf('demo', REVISION, 7)]);
    expect(guard.newerText()).toContain(`the heads of demo have format ${FORMAT + 1}`);
    expect(await heads.restoreHeads()).toEqual([]);
    const other = { head: headOf('other', REVISION, 1), position: 0 };
    await expect(heads.writeHeads([other])).rejects.toThrow(NewerStreamError);
  });

  it('is written to again when what is last can be read, or is gone', async () => {
    const { heads, guard, sign, write, wipe } = open();
    write(subject, sign(subject, newer));
    await heads.heads();
    expect(guard.newerText()).not.toBeNull();
    wipe();
    await heads.heads();
    expect(guard.newerText()).toBeNull();
    expect(await heads.writeHeads([{ head: headOf('demo', REVISION, 10), position: 0 }])).toBe(true);
  });
});

it('a head in its envelope is the same bytes each time, until another key signs', () => {
  const { heads, rotate } = open();
  const head = headOf('demo', REVISION, 1);
  const before = heads.signHead(head);
  expect(heads.signHead(head)).toBe(before);
  rotate();
  const after = heads.signHead(head);
  expect(after).not.toEqual(before);
  expect(heads.signHead(head)).toBe(after);
});

describe('a write of heads without an answer', () => {
  const writes = [
    { head: headOf('demo', REVISION, 1), position: 0 },
    { head: headOf('other', REVISION, 1), position: 0 },
  ];

  it.each([
    ['has written them, if they are in the stream', true],
    ['has not, if somebody was faster', false],
  ])('%s', async (_title, isOwn) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { heads, client, write } = open();
    const publish = client.publishTogether;
    vi.spyOn(client, 'publishTogether')
      .mockImplementationOnce(async messages => {
        if (isOwn) await publish(messages);
        throw new TimeoutError();
      })
      .mockRejectedValueOnce(
        new JetStreamApiError({ code: 400, err_code: JetStreamApiCodes.StreamWrongLastSequence, description: 'wrong' }),
      );
    const writing = heads.writeHeads(writes);
    // Of another controller.
    write(subject, new Uint8Array([1]));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await writing).toBe(isOwn);
  });
});
