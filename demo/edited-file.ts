import { readFileSync, writeFileSync } from 'node:fs';

/** A file that the demo edits. It gets its original text back when the demo ends, also after an error or a signal. */
export class EditedFile implements Disposable {
  readonly original: string;
  readonly #path: string;
  readonly #restoreAndExit = (): void => {
    this.restore();
    process.exit(130);
  };

  constructor(path: string) {
    this.#path = path;
    this.original = readFileSync(path, 'utf8');
    process.on('SIGINT', this.#restoreAndExit).on('SIGTERM', this.#restoreAndExit);
  }

  write(text: string): void {
    writeFileSync(this.#path, text);
  }

  restore(): void {
    writeFileSync(this.#path, this.original);
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#restoreAndExit).off('SIGTERM', this.#restoreAndExit);
    this.restore();
  }
}
