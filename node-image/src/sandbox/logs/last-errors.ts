import type { ErrorDescription } from '../../../../protocol/error-description.ts';
import type { ErrorsAnswer, KeptError, LogEntry } from '../../../../protocol/logs.ts';
import { TokenBucket } from '../../../../shared/rates/token-bucket.ts';

/** The number of errors of a revision that are kept. */
const MAX_ERRORS = 10;

/** The number of revisions of all modules whose errors are kept. */
const MAX_REVISIONS = 32;

/** The largest description that is kept whole, in characters of JSON. */
const MAX_CHARS = 8_192;

/** The longest part of a larger one. */
const MAX_PART_CHARS = 2_048;

/** So many errors a second of a revision are described, and so many at once; describing one maps its stack, which takes time. */
const DESCRIBED_PER_SECOND = 20;
const BURST = 50;

/** A version that has thrown an error. */
type Throwing = Pick<LogEntry, 'module' | 'revision'>;

interface Revision extends Throwing {
  readonly bucket: TokenBucket;
  /** By what is equal of equal errors; the last ones are at the end. */
  readonly errors: Map<string, KeptError>;
}

/** Keeps the last errors of each revision in memory. Equal errors of a revision are one, with the number of times that it came. */
export class LastErrors {
  /** Those with the last errors are at the end. */
  readonly #revisions = new Map<string, Revision>();
  readonly #now: () => number;

  /** @param now a clock, in milliseconds since any fixed moment. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether the next error of a version is kept. In a flood of errors, most are not. */
  takes(version: Throwing): boolean {
    return this.#revisionOf(version).bucket.take();
  }

  add(version: Throwing, where: string, error: ErrorDescription): void {
    const { errors } = this.#revisionOf(version);
    const kept = shortened(error);
    const key = JSON.stringify([where, kept]);
    const count = (errors.get(key)?.count ?? 0) + 1;
    errors.delete(key);
    errors.set(key, { at: Date.now(), count, where, error: kept });
    dropFirst(errors, MAX_ERRORS);
  }

  #revisionOf({ module, revision }: Throwing): Revision {
    const name = `${module}@${revision}`;
    const known = this.#revisions.get(name) ?? {
      module,
      revision,
      bucket: new TokenBucket(DESCRIBED_PER_SECOND, BURST, this.#now),
      errors: new Map<string, KeptError>(),
    };
    this.#revisions.delete(name);
    this.#revisions.set(name, known);
    dropFirst(this.#revisions, MAX_REVISIONS);
    return known;
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
