import * as v from 'valibot';

import { DecodeError } from './errors.ts';

/** The maximum length of an error message. Parts of it can come from the sender. */
const MAX_ERROR_CHARS = 300;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Encodes a message as UTF-8 JSON. */
export function encode(message: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

/**
 * Decodes UTF-8 JSON and checks it against the schema of its message.
 *
 * @throws DecodeError which names the first bad field.
 */
export function decode<TSchema extends v.GenericSchema>(schema: TSchema, bytes: Uint8Array): v.InferOutput<TSchema> {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw new DecodeError('the message is not JSON', { cause });
  }
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new DecodeError(`${v.getDotPath(issue) ?? 'the message'}: ${issue.message}`.slice(0, MAX_ERROR_CHARS));
}
