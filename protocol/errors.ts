/**
 * Base of every fault that Hotcast raises. `code` is for programs, `message` is one line for people that says
 * what to do. Expected headResults (refused, silent, undef) are values, never errors.
 */
export abstract class HotcastError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The user asked for something that can't be done as asked; nothing was sent anywhere. */
export class UsageError extends HotcastError {
  readonly code = 'usage';
}

/** Bytes that arrived are not the message that their subject promises. */
export class DecodeError extends HotcastError {
  readonly code = 'decode';
}

/** NATS, the stream or the controller can't be reached now; nothing was sent. */
export class UnavailableError extends HotcastError {
  readonly code = 'unavailable';
}
