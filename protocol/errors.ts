/**
 * The base class of every fault that Hotcast raises. `code` is for programs; `message` is one line for people, and says what
 * to do. Expected outcomes (refused, silent, undef) are values, never errors.
 */
export abstract class HotcastError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The user's request is invalid. Nothing was sent. */
export class UsageError extends HotcastError {
  readonly code = 'usage';
}

/** Received bytes are not a valid message. */
export class DecodeError extends HotcastError {
  readonly code = 'decode';
}

/** NATS, the stream or the controller does not answer. Nothing was sent. */
export class UnavailableError extends HotcastError {
  readonly code = 'unavailable';
}
