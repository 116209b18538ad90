import type { ErrorDescription } from '../../../../protocol/error-description.ts';
import type { ErrorsAnswer, KeptError, LogEntry } from '../../../../protocol/logs.ts';
import { TokenBucket } from '../../../../shared/token-bucket.ts';

/** The number of errors of a revision that are kept. */
const MAX_ERRORS = 10;

/** The number of revisions of all modules whose errors are kept. */
const MAX_REVISIONS = 32;

/** The largest description that is kept whole, in characters of JSON. */
const MAX_CHARS = 8_192;

/** The longest part of a larger one. */
const MAX_PART_CHARS = 2_048;

/** So many errors a second are described; describing one maps its stack, which takes time. */
const DESCRIBED_PER_SECOND = 50;

/** Keeps the last errors of each revision in memory. Equal errors of a revision are one, with the number of times that it came. */
export class LastErrors {
  readonly #revisions = new Map<string, { module: string; revision: string; errors: Map<string, KeptError> }>();
  readonly #bucket: TokenBucket;

  /** @param now a clock, in milliseconds since any fixed moment. */
  constructor(now: () => number = () => performance.now()) {
    this.#bucket = new TokenBucket(DESCRIBED_PER_SECOND, DESCRIBED_PER_SECOND, now);
  }

  /** Whether the next error is kept. In a flood of errors, most are not. */
  takes(): boolean {
    return this.#bucket.take();
  }

  add({ module, revision }: Pick<LogEntry, 'module' | 'revision'>, where: string, error: ErrorDescription): void {
    const name = `${module}@${revision}`;
    const { errors } = this.#revisions.get(name) ?? { errors: new Map<string, KeptError>() };
    // The last ones are at the end.
    this.#revisions.delete(name);
    this.#revisions.set(name, { module, revision, errors });
    const kept = shortened(error);
    const key = JSON.stringify([where, kept]);
    const count = (errors.get(key)?.count ?? 0) + 1;
    errors.delete(key);
    errors.set(key, { at: Date.now(), count, where, error: kept });
    dropFirst(errors, MAX_ERRORS);
    dropFirst(this.#revisions, MAX_REVISIONS);
  }

  /** The errors of the revisions of a module, the newest first. */
  of(wanted: string): ErrorsAnswer['revisions'] {
    return [...this.#revisions.values()]
      .filter(({ module }) => module === wanted)
      .map(({ revision, errors }) => ({ revision, errors: [...errors.values()].toReversed() }))
      .toReversed();
  }
}

function dropFirst(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}

/** An error without its causes and parts, and with the beginning of its texts, if it is too large. */
function shortened(error: ErrorDescription): ErrorDescription {
  if (JSON.stringify(error).length <= MAX_CHARS) return error;
  const cut = (text: string): string => (text.length <= MAX_PART_CHARS ? text : `${text.slice(0, MAX_PART_CHARS)}…`);
  const { type, message, stack } = error;
  return { type: cut(type), message: cut(message), ...(stack === undefined ? {} : { stack: cut(stack) }) };
}
