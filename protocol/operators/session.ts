import { hash } from 'node:crypto';

import * as v from 'valibot';

import { decode, encode } from '../codec.ts';
import { DecodeError } from '../errors.ts';
import { firstFrame, joinFrames } from '../bytes/framing.ts';
import { moduleName, revision } from '../schemas.ts';
import { protocolVersion } from '../version.ts';

/** An operator opens a session; it has not said anything yet. */
export const openRequest = v.object({
  protocol: protocolVersion,
  /** Where the controller sends what the session prints and asks. */
  inbox: v.string(),
});

export const openAnswer = v.variant('status', [
  /** `session`: the last token of the subject on which the operator speaks from now on. It is new each time. */
  v.object({ status: v.literal('open'), session: v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{36}$/)) }),
  v.object({ status: v.literal('refused'), message: v.string() }),
]);

export type OpenRequest = v.InferOutput<typeof openRequest>;
export type OpenAnswer = v.InferOutput<typeof openAnswer>;

/** What the controller wants to know of the sources, which are with the operator. */
const question = v.variant('what', [
  /** What modules there are, and the hashes of these files. */
  v.object({ what: v.literal('survey'), paths: v.array(v.string()) }),
  v.object({ what: v.literal('build'), modules: v.array(moduleName), check: v.boolean() }),
  /** The files of a package, by the hash of their archive. */
  v.object({ what: v.literal('archive'), hash: revision }),
]);

export type Question = v.InferOutput<typeof question>;

/** What the controller says in a session. */
const said = v.variant('type', [
  /** Text for the standard output, 1, or the standard error, 2. */
  v.object({ type: v.literal('print'), stream: v.picklist([1, 2]), text: v.string() }),
  v.object({ type: v.literal('ask'), id: v.number(), question }),
  /** It has the last part of an answer, and takes the next. */
  v.object({ type: v.literal('next'), id: v.number() }),
  v.object({ type: v.literal('alive') }),
  /** null: the controller stops, and the result is lost. */
  v.object({ type: v.literal('end'), status: v.nullable(v.number()) }),
]);

/** What an operator says in a session. */
const heard = v.variant('type', [
  v.object({
    type: v.literal('run'),
    args: v.array(v.string()),
    env: v.record(v.string(), v.string()),
    isTerminal: v.boolean(),
  }),
  /** A part of the answer to a question: its bytes follow. */
  v.object({ type: v.literal('part'), id: v.number(), isLast: v.boolean() }),
  /** The question has no answer: an error, as a report has it. */
  v.object({ type: v.literal('failed'), id: v.number(), error: v.unknown() }),
  /** A report of a build, for the user. */
  v.object({ type: v.literal('report'), report: v.unknown() }),
  v.object({ type: v.literal('alive') }),
  /** Its user has interrupted the command. */
  v.object({ type: v.literal('leave') }),
]);

export type Said = v.InferOutput<typeof said>;
export type Heard = v.InferOutput<typeof heard>;

/** Both sides say that they are there so often, and count the other one as gone after so long (milliseconds). */
export const ALIVE_INTERVAL_MS = 2_000;
export const ALIVE_TIMEOUT_MS = 10_000;

/** The longest part of an answer, and the longest answer, in bytes. */
export const PART_BYTES = 512 * 1024;
export const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

const SIGNATURE_BYTES = 64;

export const encodeSaid = (message: Said): Uint8Array => encode(message);

/** @throws DecodeError */
export const decodeSaid = (bytes: Uint8Array): Said => decode(said, bytes);

/**
 * A message of an operator: its signature, and the message as a frame ({@link joinFrames}) with its bytes after it. The signature is over the
 * subject, whose last token is new for each session, and the number of the message in it. So it is valid once.
 *
 * @param number from 0.
 */
export function encodeHeard(
  sign: (input: Uint8Array) => Uint8Array,
  subject: string,
  number: number,
  message: Heard,
  bytes: Uint8Array = new Uint8Array(),
): Uint8Array {
  const content = Buffer.concat([joinFrames([encode(message)]), bytes]);
  return Buffer.concat([sign(statement(subject, number, content)), content]);
}

/** The content of a message of an operator. Null: it is not signed so. Nothing is parsed before. */
export function signedContent(
  isSigned: (input: Uint8Array, signature: Uint8Array) => boolean,
  subject: string,
  number: number,
  data: Uint8Array,
): Uint8Array | null {
  const content = data.subarray(SIGNATURE_BYTES);
  return isSigned(statement(subject, number, content), data.subarray(0, SIGNATURE_BYTES)) ? content : null;
}

/** @param content see {@link signedContent}. @throws DecodeError */
export function decodeHeard(content: Uint8Array): { readonly message: Heard; readonly bytes: Uint8Array } {
  const [message, bytes] = firstFrame(content) ?? [];
  if (message === undefined || bytes === undefined) throw new DecodeError('the message is cut off');
  return { message: decode(heard, message), bytes };
}

function statement(subject: string, number: number, content: Uint8Array): Uint8Array {
  return Buffer.from(`hotcast operator 1\n${subject}\n${number}\n${hash('sha256', content)}`);
}
