import { UnavailableError } from '../../../protocol/errors.ts';
import { FORMAT, type FormatError } from '../../../protocol/version.ts';

/** A later release has written to the stream. Nothing is written to it: this controller would hide or remove what it can't read. */
export class NewerStreamError extends UnavailableError {}

/** Knows which modules have a newest head that a later release has written. */
export type FormatGuard = ReturnType<typeof createFormatGuard>;

export function createFormatGuard() {
  const newer = new Map<string, number>();

  /** What it means, and what to do; null when everything can be read. */
  function newerText(): string | null {
    const [format] = newer.values();
    if (format === undefined) return null;
    const modules = [...newer.keys()].toSorted();
    return (
      `the stream is of a later release: the heads of ${modules.join(', ')} have format ${format}, and this controller reads ` +
      `${FORMAT - 1} and ${FORMAT}. It writes nothing, and nodes run on. Run the controller of that release`
    );
  }
  return {
    newerText,
    /** Takes note of a module's newest head: it can be read, or not. */
    note: (module: string, error: FormatError | null): void => {
      if (error?.isNewer === true) newer.set(module, error.format);
      else newer.delete(module);
    },
    /** Forgets the modules of which the stream has no head any more. */
    keep: (modules: ReadonlySet<string>): void => {
      for (const module of newer.keys()) if (!modules.has(module)) newer.delete(module);
    },
    /** @throws NewerStreamError when nothing may be written. */
    check: (): void => {
      const text = newerText();
      if (text !== null) throw new NewerStreamError(text);
    },
  };
}
