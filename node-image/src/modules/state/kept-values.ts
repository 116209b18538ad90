import { runOutside } from '../../sandbox/execution-context.ts';

/** A value that belongs to a module, and what closes it. */
interface Kept {
  readonly value: unknown;
  readonly close: (() => unknown) | null;
}

/** `import.meta.hot.keep`, see types/hot.d.ts. */
export type Keep = <Value>(key: string, make: () => Value, close?: (value: Value) => unknown) => Value;

/** What one version keeps. Until the version is accepted, what it has made is its own. */
export interface Keeping {
  readonly keep: Keep;
  /** The version has loaded: the module owns what it has made, and what it makes from now on. */
  readonly accept: () => void;
  /** The version was refused: closes what it has made. Nothing when it was accepted. */
  readonly discard: () => void;
}

/** The values that a module has made with `import.meta.hot.keep`, for all of its versions. */
export class KeptValues {
  readonly #values = new Map<string, Kept>();

  /**
   * Begins the keeping of a version that loads.
   *
   * @param onError is called with what a close throws, or rejects with.
   */
  begin(onError: (error: unknown) => void): Keeping {
    const made = new Map<string, Kept>();
    let owner = made;
    const keep: Keep = (key, make, close) => {
      const known = this.#values.get(key) ?? owner.get(key);
      if (known !== undefined) return known.value as ReturnType<typeof make>;
      // What it opens belongs to the module, and outlives the version.
      const value = runOutside(make);
      const kept: Kept = { value, close: close === undefined ? null : () => close(value) };
      const values = owner;
      values.set(key, kept);
      // The next one to need it tries again.
      if (value instanceof Promise) {
        value.catch(() => {
          for (const each of [values, this.#values]) if (each.get(key) === kept) each.delete(key);
        });
      }
      return value;
    };
    return {
      keep,
      accept: () => {
        for (const [key, kept] of made) this.#values.set(key, kept);
        made.clear();
        owner = this.#values;
      },
      discard: () => void closeAll(made, onError),
    };
  }

  /** Closes all values, the last made first. Resolves when the closes have ended. `onError`: see {@link begin}. */
  async close(onError: (error: unknown) => void): Promise<void> {
    await closeAll(this.#values, onError);
  }
}

async function closeAll(values: Map<string, Kept>, onError: (error: unknown) => void): Promise<void> {
  if (values.size === 0) return;
  const closes = [...values.values()].toReversed();
  values.clear();
  const run = async ({ close }: Kept): Promise<void> => {
    try {
      await close?.();
    } catch (error) {
      onError(error);
    }
  };
  await Promise.all(closes.map(run));
}
