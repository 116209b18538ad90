import { Kind, Parser, type ParserEvent } from '@nats-io/transport-node';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DirectReader, type ReceivedMessage } from '../../../../shared/nats/direct-reader.ts';

/** The subscriptions whose messages are taken. */
const DIRECT = new Set([1, 20]);

/** What the server sends: the bytes, and what a client reads in them. */
interface Sent {
  readonly bytes: Buffer;
  readonly read: string;
}

const line = (text: string): Sent => ({ bytes: Buffer.from(`${text}\r\n`), read: text.split(' ')[0] ?? '' });

function message(sid: number, subject: string, reply: string | null, headers: string | null, data: Uint8Array): Sent {
  const address = `${subject} ${sid}${reply === null ? '' : ` ${reply}`}`;
  const head = Buffer.from(headers === null ? '' : `NATS/1.0\r\nIn-Case: 1\r\nHotcast-A: ${headers}\r\n\r\n`);
  const size = head.length + data.length;
  const start = headers === null ? `MSG ${address} ${size}` : `HMSG ${address} ${head.length} ${size}`;
  return {
    bytes: Buffer.concat([Buffer.from(`${start}\r\n`), head, data, Buffer.from('\r\n')]),
    read: JSON.stringify([sid, subject, reply, headers, Buffer.from(data).toString('hex')]),
  };
}

/** What a client with the reader gets, as texts in their order, and which of it came from the reader itself. */
class Client {
  readonly read: string[] = [];
  readonly delivered: string[] = [];
  readonly #passed: Buffer[] = [];
  readonly #reader: DirectReader;
  readonly #parser: Parser;

  constructor(direct: ReadonlySet<number> = DIRECT) {
    this.#parser = new Parser({ push: event => this.read.push(textOf(event as ParserEvent)) });
    const deliver = (sid: number) => (got: ReceivedMessage) => {
      const { subject, reply = null, headers, data } = got;
      const value = headers?.has('Hotcast-A') === true ? headers.get('Hotcast-A') : null;
      const text = JSON.stringify([sid, subject, reply, value, Buffer.from(data).toString('hex')]);
      this.read.push(text);
      this.delivered.push(text);
    };
    this.#reader = new DirectReader(new Map([...direct].map(sid => [sid, deliver(sid)])), bytes =>
      this.#passed.push(bytes),
    );
  }

  /** Gets bytes. nats.js reads what was passed on in a later turn. */
  get(chunk: Buffer): void {
    this.#reader.read(chunk, this.#passed.length > 0);
  }

  turn(): void {
    for (const bytes of this.#passed.splice(0)) this.#parser.parse(bytes);
  }
}

function textOf(event: ParserEvent): string {
  const { msg, data = new Uint8Array(0) } = event;
  if (event.kind !== Kind.MSG || msg === undefined) return VERBS[event.kind] ?? '';
  const head = Buffer.from(data.subarray(0, Math.max(0, msg.hdr))).toString();
  const value = /\r\nHotcast-A: (.*)\r\n/.exec(head)?.[1] ?? null;
  const reply = msg.reply === undefined ? null : Buffer.from(msg.reply).toString();
  const content = Buffer.from(data.subarray(Math.max(0, msg.hdr))).toString('hex');
  return JSON.stringify([msg.sid, Buffer.from(msg.subject).toString(), reply, value, content]);
}

const VERBS: Readonly<Record<number, string>> = {
  [Kind.PING]: 'PING',
  [Kind.PONG]: 'PONG',
  [Kind.OK]: '+OK',
  [Kind.INFO]: 'INFO',
};

const word = fc.stringMatching(/^[a-z0-9.]{1,9}$/);
const anySent = fc.oneof(
  fc.constantFrom('PING', 'PONG', '+OK', 'INFO {"max_payload":1024}').map(line),
  fc
    .tuple(
      fc.constantFrom(1, 2, 20, 200),
      word,
      fc.option(word),
      fc.option(word),
      // Data that looks like the protocol, too.
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom('PING\r\n', '\r\n', 'MSG a 1 3\r\nabc\r\n').map(text => Buffer.from(text)),
      ),
    )
    .map(args => message(...args)),
);

describe('DirectReader', () => {
  it('reads as nats.js alone does, in the same order, however the bytes are cut and whenever nats.js reads', () => {
    const pieces = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.boolean()), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(anySent, { maxLength: 12 }), pieces, (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(each => each.bytes));
        const client = new Client();
        let at = 0;
        for (let index = 0; at < bytes.length; index += 1) {
          const [length, isTurn] = cuts[index % cuts.length] ?? [1, true];
          client.get(bytes.subarray(at, at + length));
          at += length;
          if (isTurn) client.turn();
        }
        client.turn();
        expect(client.read).toEqual(sent.map(each => each.read));
      }),
      { numRuns: 1_000 },
    );
  });

  it('delivers a message itself, at whatever two places its bytes are cut', () => {
    const sent = message(20, 'hotcast.dino.bundle.demo', 'inbox', 'value', Buffer.from('some data'));
    for (let first = 1; first < sent.bytes.length; first += 1) {
      for (let second = first; second <= sent.bytes.length; second += 1) {
        const client = new Client();
        for (const [from, to] of [
          [0, first],
          [first, second],
          [second, sent.bytes.length],
        ] as const) {
          if (to > from) client.get(sent.bytes.subarray(from, to));
        }
        expect(client.delivered).toEqual([sent.read]);
      }
    }
  });

  it('passes on a message of another subscription as it comes, and does not wait for all of it', () => {
    const passed: string[] = [];
    const reader = new DirectReader(new Map(), bytes => passed.push(bytes.toString()));
    reader.read(Buffer.from('MSG a 2 10\r\n012'), false);
    reader.read(Buffer.from('3456'), false);
    expect(passed).toEqual(['MSG a 2 10\r\n012', '3456']);
  });

  it('passes on what is not its protocol, and all after it', () => {
    const passed: string[] = [];
    const reader = new DirectReader(new Map([[1, () => expect.fail('taken')]]), bytes => passed.push(bytes.toString()));
    reader.read(Buffer.from('MSG nonsense\r\n'), false);
    reader.read(Buffer.from('MSG a 1 1\r\nx\r\n'), false);
    expect(passed.join('')).toBe('MSG nonsense\r\nMSG a 1 1\r\nx\r\n');
  });

  it('has no value of a header that is not there, and none of the data', () => {
    let got: ReceivedMessage | null = null;
    const reader = new DirectReader(new Map([[1, each => (got = each)]]), () => undefined);
    reader.read(message(1, 'a', null, 'b', Buffer.from('\r\nOther: c\r\n')).bytes, false);
    const { headers } = got as unknown as ReceivedMessage;
    expect([headers?.has('Other'), headers?.get('Other'), headers?.has('Hotcast'), headers?.get('In-Case')]).toEqual([
      false,
      '',
      false,
      '1',
    ]);
  });
});
