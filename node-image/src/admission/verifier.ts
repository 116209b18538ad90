import { type Bundle, decodeBundle } from '../../../protocol/bundle.ts';
import { decode } from '../../../protocol/codec.ts';
import { HotcastError } from '../../../protocol/errors.ts';
import { type Head, headSchema } from '../../../protocol/head.ts';
import { decodeLoadCommand } from '../../../protocol/load-command.ts';
import { type EnvelopeFault, type TrustedKeys, verifyEnvelope } from '../../../protocol/signing/envelope.ts';
import type { Subjects } from '../../../protocol/subjects.ts';

/** A head may be this far ahead of the node's clock (milliseconds): clocks differ, and heads of one moment are counted up. */
const MAY_BE_AHEAD = 10 * 60_000;

/** Why a bundle or a head was not let in. */
export type Fault =
  | EnvelopeFault
  /** Its time is later than now. */
  | 'from the future'
  /** It was obeyed already, or is older than the node's process. */
  | 'replayed';

/** What arrived is not sealed by a trusted key for where it was found. */
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
 * Lets in bundles and heads that a trusted key has sealed for their subject. Everything else is refused before it is
 * unpacked or parsed: code that arrives is code that runs.
 */
export class Verifier {
  readonly #trusted: TrustedKeys;
  readonly #subjects: Subjects;
  readonly #onUntrusted: (error: RejectedError) => void;
  #refused = 0;
  /** When the last order to load was given; what is older than this process may be an order to the one before. */
  #lastOrder = performance.timeOrigin;

  /** @param onUntrusted is told of all that is not let in. */
  constructor(trusted: TrustedKeys, subjects: Subjects, onUntrusted: (error: RejectedError) => void) {
    this.#trusted = trusted;
    this.#subjects = subjects;
    this.#onUntrusted = onUntrusted;
  }

  /** How many bundles and heads were not let in. */
  get refused(): number {
    return this.#refused;
  }

  /** @param subject where it was found. @throws RejectedError and DecodeError */
  bundle(subject: string, bytes: Uint8Array): Bundle {
    const opened = this.#open(subject, bytes);
    const bundle = decodeBundle(opened.payload);
    if (opened.subject !== this.#subjects.bundle(bundle.module, bundle.revision)) {
      throw this.#rejected('wrong subject', opened.subject);
    }
    return bundle;
  }

  /** A bundle that this node is to load past the heads; each order is obeyed once. @throws RejectedError and DecodeError */
  loadCommand(subject: string, bytes: Uint8Array): Bundle {
    const { payload } = this.#open(subject, bytes);
    const { at, packed } = decodeLoadCommand(payload);
    if (at > Date.now() + MAY_BE_AHEAD) throw this.#rejected('from the future', subject);
    if (at <= this.#lastOrder) throw this.#rejected('replayed', subject);
    this.#lastOrder = at;
    return decodeBundle(packed);
  }

  /** @param subject where it was found; null when it came with others in one message. @throws RejectedError and DecodeError */
  head(subject: string | null, bytes: Uint8Array): Head {
    const opened = this.#open(subject, bytes);
    const head = decode(headSchema, opened.payload);
    if (opened.subject !== this.#subjects.head(head.module)) throw this.#rejected('wrong subject', opened.subject);
    const latest = Date.now() + MAY_BE_AHEAD;
    if (head.sequence > latest || head.at > latest) throw this.#rejected('from the future', opened.subject);
    return head;
  }

  #open(subject: string | null, bytes: Uint8Array): { readonly subject: string; readonly payload: Uint8Array } {
    const opened = verifyEnvelope(this.#trusted, subject, bytes);
    if (opened.status === 'rejected') throw this.#rejected(opened.fault, opened.subject);
    return opened;
  }

  #rejected(fault: Fault, subject: string | null): RejectedError {
    const error = new RejectedError(fault, subject);
    this.#refused += 1;
    this.#onUntrusted(error);
    return error;
  }
}
