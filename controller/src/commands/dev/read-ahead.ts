import type { CommandContext } from '../context.ts';

/**
 * Reads what a push has to know before it sends anything, while a save waits for others that belong to it. What is read holds for the
 * first push after it. What is out of date by then does no harm: a head is only written upon the one that it was decided upon.
 */
export class ReadAhead {
  readonly #context: CommandContext;
  #read: CommandContext | null = null;
  #isPushing = false;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /** A file was saved. */
  begin(): void {
    if (!this.#isPushing) this.#read ??= readingContext(this.#context);
  }

  /** The context with what was read, if it was. */
  get context(): CommandContext {
    return this.#read ?? this.#context;
  }

  /** The context for a push. The next one reads for itself. */
  take(): CommandContext {
    const { context } = this;
    this.#read = null;
    return context;
  }

  /** Pushes. What is saved meanwhile is pushed upon other heads. */
  async during<T>(push: () => Promise<T>): Promise<T> {
    this.#isPushing = true;
    try {
      return await push();
    } finally {
      this.#isPushing = false;
      this.#read = null;
    }
  }
}

function readingContext({ store, membership, ...context }: CommandContext): CommandContext {
  const [heads, storage, expected] = [store.heads(), store.storage(), membership.expected()];
  // The push says what is wrong.
  for (const reading of [heads, storage, expected]) reading.catch(() => undefined);
  return {
    ...context,
    store: { ...store, heads: () => heads, storage: () => storage },
    membership: { ...membership, expected: () => expected },
  };
}
