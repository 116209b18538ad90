import * as v from 'valibot';

import { DecodeError } from './errors.ts';
import { checkFormat, FORMAT } from './version.ts';

/** The maximum length of an error message. Parts of it can come from the sender. */
const MAX_ERROR_CHARS = 300;

const utf8 = new TextDecoder('utf-8', { fatal: true });
const toUtf8 = new TextEncoder();

/** Encodes a message as UTF-8 JSON. */
export function encode(message: object): Uint8Array {
  return toUtf8.encode(JSON.stringify(message));
}

/**
 * Decodes UTF-8 JSON and checks it against the schema of its message.
 *
 * @throws DecodeError which names the first bad field.
 */
export function decode<TSchema extends v.GenericSchema>(schema: TSchema, bytes: Uint8Array): v.InferOutput<TSchema> {
  return checked(schema, parseJson(bytes));
}

/** Encodes a record of the stream, with its format. */
export function encodeRecord(record: object): Uint8Array {
  return encode({ format: FORMAT, ...record });
}

/**
 * Decodes a record of the stream, as {@link decode} does.
 *
 * @throws FormatError, before anything else is looked at, when another release wrote it in a format that this one can't read.
 */
export function decodeRecord<TSchema extends v.GenericSchema>(
  schema: TSchema,
  bytes: Uint8Array,
): v.InferOutput<TSchema> {
  const json = parseJson(bytes);
  checkFormat(json);
  return checked(schema, json);
}

/** @throws DecodeError */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new DecodeError('the message is not JSON', { cause });
  }
}

function checked<TSchema extends v.GenericSchema>(schema: TSchema, json: unknown): v.InferOutput<TSchema> {
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new DecodeError(`${v.getDotPath(issue) ?? 'the message'}: ${issue.message}`.slice(0, MAX_ERROR_CHARS));
}
