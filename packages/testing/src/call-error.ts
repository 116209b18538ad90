import type { ErrorDescription } from '../../../protocol/error-description.ts';

/** The error of a function that was called on a node, as the node describes it. */
export function callError(
  { type, message, code, stack, cause }: ErrorDescription,
  place: { readonly path: string; readonly node?: string },
): Error {
  const where = place.node === undefined ? place.path : `${place.path} on ${place.node}`;
  const error = new Error(message, cause === undefined ? {} : { cause: callError(cause, place) });
  // The stack is that of the module. The frames of this process say nothing.
  if (stack !== undefined) error.stack = `${stack}\n    at ${where}`;
  return Object.assign(error, { name: type === 'exception' ? 'Error' : type, ...(code === undefined ? {} : { code }) });
}
