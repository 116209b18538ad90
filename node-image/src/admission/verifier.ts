import { type Bundle, decodeBundle } from '../../../protocol/bundle.ts';
import { decode } from '../../../protocol/codec.ts';
import { HotcastError } from '../../../protocol/errors.ts';
import { type Head, headSchema } from '../../../protocol/head.ts';
import { decodeLoadCommand } from '../../../protocol/load-command.ts';
import { type EnvelopeFault, type TrustedKeys, verifyEnvelope } from '../../../protocol/signing/envelope.ts';
import type { Subjects } from '../../../protocol/subjects.ts';

/** How far a head can be ahead of the node's clock (milliseconds): clocks differ, and sequences are counted up. */
const MAX_AHEAD_MS = 10 * 60_000;

/** Why a bundle or a head was rejected. */
export type Fault =
  | EnvelopeFault
  /** Its time is later than now. */
  | 'from the future'
  /** It was applied before, or is older than the node's process. */
  | 'replayed';

/** A record or command has no signature of a trusted key for its subject, or a wrong time. */
export class RejectedError extends HotcastError {
  readonly code = 'rejected';
  readonly fault: Fault;
  readonly subject: string | null;

  constructor(fault: Fault, subject: string | null) {
    super(`not trusted: ${fault}${subject === null ? '' : ` (${subject})`}`);
    this.fault = fault;
    this.subject = subject;
  }
}

/**
 * Verifies that bundles, packages and heads are signed by a trusted key for their subject. Everything else is rejected before it is
 * unpacked or parsed.
 */
export class Verifier {
  readonly #trusted: TrustedKeys;
  readonly #subjects: Subjects;
  readonly #onRejected: (error: RejectedError) => void;
  #rejections = 0;
  /** The time of the last load command. A command that is older than this process can be for an earlier process. */
  #lastLoadAt = performance.timeOrigin;

  /** @param onRejected is called with every rejection. */
  constructor(trusted: TrustedKeys, subjects: Subjects, onRejected: (error: RejectedError) => void) {
    this.#trusted = trusted;
    this.#subjects = subjects;
    this.#onRejected = onRejected;
  }

  /** The number of rejected bundles, heads and commands. */
  get rejected(): number {
    return this.#rejections;
  }

  /** @param subject the subject that it was found under. @throws RejectedError and DecodeError */
  bundle(subject: string, bytes: Uint8Array): Bundle {
    const envelope = this.#verify(subject, bytes);
    const bundle = decodeBundle(envelope.payload);
    if (envelope.subject !== this.#subjects.bundle(bundle.module, bundle.revision)) {
      throw this.#reject('wrong subject', envelope.subject);
    }
    return bundle;
  }

  /** The payload of a record whose content is checked by a hash. @param subject as in {@link bundle}. @throws RejectedError */
  payload(subject: string, bytes: Uint8Array): Uint8Array {
    return this.#verify(subject, bytes).payload;
  }

  /** The bundle of a command to load it without a head. Each command is valid once. @throws RejectedError and DecodeError */
  loadCommand(subject: string, bytes: Uint8Array): Bundle {
    const { payload } = this.#verify(subject, bytes);
    const { at, packed } = decodeLoadCommand(payload);
    if (at > Date.now() + MAX_AHEAD_MS) throw this.#reject('from the future', subject);
    if (at <= this.#lastLoadAt) throw this.#reject('replayed', subject);
    this.#lastLoadAt = at;
    return decodeBundle(packed);
  }

  /** @param subject the subject that it was found under; null in a message with several. @throws RejectedError and DecodeError */
  head(subject: string | null, bytes: Uint8Array): Head {
    const envelope = this.#verify(subject, bytes);
    const head = decode(headSchema, envelope.payload);
    if (envelope.subject !== this.#subjects.head(head.module)) throw this.#reject('wrong subject', envelope.subject);
    const latest = Date.now() + MAX_AHEAD_MS;
    if (head.sequence > latest || head.at > latest) throw this.#reject('from the future', envelope.subject);
    return head;
  }

  #verify(subject: string | null, bytes: Uint8Array): { readonly subject: string; readonly payload: Uint8Array } {
    const envelope = verifyEnvelope(this.#trusted, subject, bytes);
    if (envelope.status === 'rejected') throw this.#reject(envelope.fault, envelope.subject);
    return envelope;
  }

  #reject(fault: Fault, subject: string | null): RejectedError {
    const error = new RejectedError(fault, subject);
    this.#rejections += 1;
    this.#onRejected(error);
    return error;
  }
}
