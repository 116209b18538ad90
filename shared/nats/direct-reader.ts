/** What a handler needs of a message. Those of nats.js have it too. */
export interface ReceivedMessage {
  readonly subject: string;
  readonly reply?: string | undefined;
  readonly data: Uint8Array;
  readonly headers?: ReceivedHeaders | undefined;
}

/** As in nats.js: names are compared exactly, and a header that is missing is ''. */
export interface ReceivedHeaders {
  has(name: string): boolean;
  get(name: string): string;
}

/** Takes a whole message of a subscription. `bytes`: of its headers and its data. */
export type Deliver = (message: ReceivedMessage, bytes: number) => void;

/** The last byte of a line. */
export const NEWLINE = 10;

const END_BYTES = 2;

/**
 * Reads what a NATS server sends, and takes the messages of some subscriptions out of it. All other bytes are passed on as they came, for
 * nats.js to read, from the beginning of a line on or within the data of a message. Bytes that it does not know are passed on, and all after
 * them.
 */
export class DirectReader {
  readonly #deliveries: ReadonlyMap<number, Deliver>;
  readonly #pass: (bytes: Buffer) => void;
  /** The beginning of a line, or of a message that is to be taken, and how much of it is missing at least. */
  #held: Buffer[] = [];
  #missing = 0;
  /** How much of a message that is passed on has not come yet. */
  #toPass = 0;

  /** @param deliveries by the ids of their subscriptions. It can change at any time. */
  constructor(deliveries: ReadonlyMap<number, Deliver>, pass: (bytes: Buffer) => void) {
    this.#deliveries = deliveries;
    this.#pass = pass;
  }

  /**
   * Reads the next bytes, which begin after a whole line or message the first time. Messages are delivered before this returns.
   *
   * @param isBehind whether what was passed on before is not read yet. Then all is passed on, so that messages keep their order.
   */
  read(chunk: Buffer, isBehind: boolean): void {
    let bytes = chunk;
    if (this.#held.length > 0) {
      this.#held.push(chunk);
      this.#missing -= chunk.length;
      if (this.#missing > 0) return;
      bytes = Buffer.concat(this.#held);
      this.#held = [];
    }
    // Those from `from` to `at` are passed on.
    let from = 0;
    let at = Math.min(this.#toPass, bytes.length);
    this.#toPass -= at;
    while (at < bytes.length) {
      const lineEnd = bytes.indexOf(NEWLINE, at);
      if (lineEnd === -1) {
        this.#hold(bytes.subarray(at), 1);
        break;
      }
      const frame = frameOf(bytes, at, lineEnd);
      if (frame !== null && !Number.isInteger(frame.size)) {
        at = bytes.length;
        this.#toPass = Infinity;
        break;
      }
      const deliver = frame === null ? undefined : this.#deliveries.get(frame.sid);
      const end = lineEnd + 1 + (frame === null ? 0 : frame.size + END_BYTES);
      if (deliver !== undefined && end > bytes.length) {
        this.#hold(bytes.subarray(at), end - bytes.length);
        break;
      }
      if (frame !== null && deliver !== undefined && from === at && !isBehind) {
        this.#deliver(deliver, frame, bytes.subarray(lineEnd + 1, end - END_BYTES));
        from = end;
      }
      at = Math.min(end, bytes.length);
      this.#toPass = end - at;
    }
    if (at > from) this.#pass(bytes.subarray(from, at));
  }

  #hold(bytes: Buffer, missing: number): void {
    this.#held = [bytes];
    this.#missing = missing;
  }

  #deliver(deliver: Deliver, { subject, reply, headerSize }: Frame, content: Buffer): void {
    const message = {
      subject,
      reply,
      data: content.subarray(headerSize),
      headers: headerSize === 0 ? undefined : headersOf(content.subarray(0, headerSize)),
    };
    try {
      deliver(message, content.length);
    } catch (error) {
      // What comes after the message is read all the same.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** The line of a message: `MSG <subject> <sid> [reply] <size>`, `HMSG <subject> <sid> [reply] <size of the headers> <size>`. */
interface Frame {
  readonly subject: string;
  readonly sid: number;
  readonly reply: string | undefined;
  readonly headerSize: number;
  readonly size: number;
}

const [H, M] = Buffer.from('HM');

/** Null for every other line. */
function frameOf(bytes: Buffer, at: number, lineEnd: number): Frame | null {
  const hasHeaders = bytes[at] === H;
  if (!hasHeaders && bytes[at] !== M) return null;
  const words = bytes.toString('utf8', at, lineEnd - 1).split(' ');
  const count = words.length;
  return {
    subject: words[1] ?? '',
    sid: Number(words[2]),
    reply: count > (hasHeaders ? 5 : 4) ? words[3] : undefined,
    headerSize: hasHeaders ? Number(words[count - 2]) : 0,
    size: Number(words[count - 1]),
  };
}

function headersOf(bytes: Buffer): ReceivedHeaders {
  const text = bytes.toString();
  const valueAt = (name: string): number => {
    const at = text.indexOf(`\r\n${name}:`);
    return at === -1 ? -1 : at + name.length + 3;
  };
  return {
    has: name => valueAt(name) !== -1,
    get: name => {
      const at = valueAt(name);
      return at === -1 ? '' : text.slice(at, text.indexOf('\r\n', at)).trim();
    },
  };
}
