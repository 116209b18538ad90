import { inspect } from 'node:util';

import { decodeValue } from '../../../protocol/values/decode.ts';

/** The width of lines that a value is broken into. */
const LINE_WIDTH = 80;

/**
 * Prints the value of a call as `util.inspect` does, but all of it.
 *
 * @param json the encoded value; absent for `undefined`.
 * @param oneLine whether the value stands in a list, on a line of its own.
 */
export function printValue(json: string | undefined, oneLine: boolean): string {
  const breakLength = oneLine ? Infinity : LINE_WIDTH;
  return inspect(decodeValue(json), { depth: null, maxArrayLength: null, maxStringLength: null, breakLength });
}
