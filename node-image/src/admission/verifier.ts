import { randomUUID } from 'node:crypto';

import { type Bundle, decodeBundle } from '../../../protocol/bundle.ts';
import { decode, decodeRecord } from '../../../protocol/codec.ts';
import { HotcastError } from '../../../protocol/errors.ts';
import { type Head, headSchema } from '../../../protocol/head.ts';
import { decodeLoadCommand } from '../../../protocol/load-command.ts';
import { type EvaluateRequest, evaluateRequest } from '../../../protocol/shell-messages.ts';
import { type EnvelopeFault, type Opened, openEnvelope, verifyEnvelope } from '../../../protocol/signing/envelope.ts';
import type { KeyList } from '../../../protocol/signing/key-list.ts';
import type { KeyTrust } from '../../../protocol/signing/key-trust.ts';
import { isPushed, type PushedHead, verifyPush } from '../../../protocol/signing/push-signature.ts';
import type { Subjects } from '../../../protocol/subjects.ts';

/** Why a bundle or a head was rejected. */
export type Fault =
  | EnvelopeFault
  /** It was executed before, or is for an earlier process of the node. */
  | 'replayed';

/** A record or command has no signature of a trusted key for its subject, or was sent before. */
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

/** The key is not in the list of keys that the node has. A newer one may be in the stream. */
export class UnknownKeyError extends RejectedError {}

/** The keys that a node trusts, and how it learns of others. */
export type NodeTrust = Pick<KeyTrust, 'get' | 'take' | 'number'>;

/**
 * Verifies that bundles, packages and heads are signed by a trusted key for their subject. Everything else is rejected before it is
 * unpacked or parsed.
 */
export class Verifier {
  readonly #trusted: NodeTrust;
  readonly #subjects: Subjects;
  readonly #onRejected: (error: RejectedError) => void;
  /** A random id of this process. A load command names the process that it is for, so no earlier one can be sent again. */
  readonly processId = randomUUID();
  #rejections = 0;
  /** The ids of the load commands that were executed. */
  readonly #executed = new Set<string>();
  /** The newest head of each module in its envelope. */
  readonly #newest = new Map<string, { readonly sequence: number; readonly envelope: Uint8Array }>();
  /** The heads of verified pushes that are not committed yet, by their subjects: the last one of each module. */
  readonly #pushed = new Map<string, PushedHead>();

  /** @param onRejected is called with every rejection. */
  constructor(trusted: NodeTrust, subjects: Subjects, onRejected: (error: RejectedError) => void) {
    this.#trusted = trusted;
    this.#subjects = subjects;
    this.#onRejected = onRejected;
  }

  /**
   * Whether an unknown key is to be looked up in the stream: then it is an {@link UnknownKeyError}, which is not counted. Whoever reads
   * lists from the stream says so.
   */
  isLookupDue: () => boolean = () => false;

  /** The number of the list of keys that this node follows; 0 for none. */
  get keyList(): number {
    return this.#trusted.number;
  }

  /**
   * Takes a list of keys, if it is newer than the one that this node follows.
   *
   * @returns the keys that it trusts now; null when it is not newer.
   * @throws RejectedError when no root key has signed it, and DecodeError
   */
  takeKeyList(bytes: Uint8Array): KeyList | null {
    const taken = this.#trusted.take(bytes);
    if (taken.status === 'rejected') throw this.#count(new RejectedError(taken.fault, this.#subjects.keys));
    return taken.status === 'taken' ? taken.list : null;
  }

  /** The number of rejected bundles, heads and commands. */
  get rejected(): number {
    return this.#rejections;
  }

  /**
   * @param subject the subject that it was found under.
   * @param push the signature of the push that it belongs to, which is verified in place of its own. The head of that push then needs none.
   * @throws RejectedError and DecodeError
   */
  bundle(subject: string, bytes: Uint8Array, push: string | null = null): Bundle {
    const envelope = this.#open(subject, bytes);
    const pushed = push === null ? null : this.#verifyPush(subject, bytes, push);
    if (pushed === null && !envelope.isSigned()) throw this.#reject('bad signature', subject);
    const bundle = decodeBundle(envelope.payload);
    if (envelope.subject !== this.#subjects.bundle(bundle.module, bundle.revision)) {
      throw this.#reject('wrong subject', envelope.subject);
    }
    if (pushed !== null) this.#pushed.set(this.#subjects.head(bundle.module), pushed);
    return bundle;
  }

  /** The payload of a record whose content is checked by a hash. @param subject as in {@link bundle}. @throws RejectedError */
  payload(subject: string, bytes: Uint8Array): Uint8Array {
    return this.#verify(subject, bytes).payload;
  }

  /** The bundle of a command to load it without a head. Each command is valid once. @throws RejectedError and DecodeError */
  loadCommand(subject: string, bytes: Uint8Array): Bundle {
    return decodeBundle(this.#command(subject, bytes));
  }

  /** An expression of a shell. Each command is valid once. @throws RejectedError and DecodeError */
  evaluation(subject: string, bytes: Uint8Array): EvaluateRequest {
    return decode(evaluateRequest, this.#command(subject, bytes));
  }

  /** @param subject the subject that it was found under; null in a message with several. @throws RejectedError and DecodeError */
  head(subject: string | null, bytes: Uint8Array): Head {
    const envelope = this.#open(subject, bytes);
    if (!this.#takePushed(envelope, bytes) && !envelope.isSigned()) throw this.#reject('bad signature', subject);
    const head = decodeRecord(headSchema, envelope.payload);
    if (envelope.subject !== this.#subjects.head(head.module)) throw this.#reject('wrong subject', envelope.subject);
    const { module, sequence } = head;
    // A copy: the message has other heads too.
    if (sequence > (this.#newest.get(module)?.sequence ?? 0))
      this.#newest.set(module, { sequence, envelope: Uint8Array.from(bytes) });
    return head;
  }

  /** The newest heads that were verified, as base64 by their modules, where they are above a sequence. */
  newerHeads(above: Readonly<Record<string, number>>): Record<string, string> {
    const newer = Object.entries(above).flatMap(([module, sequence]) => {
      const head = this.newerHead(module, sequence);
      return head === null ? [] : [[module, head] as const];
    });
    return Object.fromEntries(newer);
  }

  /** The newest head of a module that was verified, as base64, if it is above a sequence. */
  newerHead(module: string, above: number): string | null {
    const newest = this.#newest.get(module);
    return newest === undefined || newest.sequence <= above ? null : Buffer.from(newest.envelope).toString('base64');
  }

  #command(subject: string, bytes: Uint8Array): Uint8Array {
    const { payload } = this.#verify(subject, bytes);
    const { processId, id, packed } = decodeLoadCommand(payload);
    if (processId !== this.processId || this.#executed.has(id)) throw this.#reject('replayed', subject);
    this.#executed.add(id);
    return packed;
  }

  /** Whether an envelope is that of the head of a verified push, signed with the same key. Such a head is taken once. */
  #takePushed({ subject, key }: Opened, bytes: Uint8Array): boolean {
    const pushed = this.#pushed.get(subject);
    if (pushed === undefined || pushed.key !== key || !isPushed(pushed, bytes)) return false;
    return this.#pushed.delete(subject);
  }

  #verifyPush(subject: string, bytes: Uint8Array, push: string): PushedHead {
    const verified = verifyPush(this.#trusted, subject, bytes, push);
    if (verified.status === 'rejected') throw this.#reject(verified.fault, subject);
    return verified.head;
  }

  /** All but the signature: see {@link openEnvelope}. */
  #open(subject: string | null, bytes: Uint8Array): Opened {
    const envelope = openEnvelope(this.#trusted, subject, bytes);
    if (envelope.status === 'rejected') throw this.#reject(envelope.fault, envelope.subject);
    return envelope;
  }

  #verify(subject: string | null, bytes: Uint8Array): { readonly subject: string; readonly payload: Uint8Array } {
    const envelope = verifyEnvelope(this.#trusted, subject, bytes);
    if (envelope.status === 'rejected') throw this.#reject(envelope.fault, envelope.subject);
    return envelope;
  }

  #reject(fault: Fault, subject: string | null): RejectedError {
    if (fault === 'unknown key' && this.isLookupDue()) return new UnknownKeyError(fault, subject);
    return this.#count(new RejectedError(fault, subject));
  }

  #count(error: RejectedError): RejectedError {
    this.#rejections += 1;
    this.#onRejected(error);
    return error;
  }
}
