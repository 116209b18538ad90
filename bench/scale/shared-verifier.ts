import { Verifier } from '../../node-image/src/admission/verifier.ts';
import type { Bundle } from '../../protocol/bundle.ts';
import type { Head } from '../../protocol/head.ts';

/** A verifier for many nodes of one process: what it let in a moment ago it knows by its bytes, and does not open again. */
export class SharedGate extends Verifier {
  readonly #bundle = new Last<Bundle>();
  readonly #head = new Last<Head>();

  override bundle(subject: string, bytes: Uint8Array): Bundle {
    return this.#bundle.of(bytes, () => super.bundle(subject, bytes));
  }

  override head(subject: string | null, bytes: Uint8Array): Head {
    return this.#head.of(bytes, () => super.head(subject, bytes));
  }
}

class Last<T extends object> {
  #bytes: Uint8Array = new Uint8Array();
  #value: T | null = null;

  of(bytes: Uint8Array, make: () => T): T {
    if (this.#value === null || Buffer.compare(bytes, this.#bytes) !== 0) {
      this.#value = make();
      this.#bytes = bytes.slice();
    }
    return this.#value;
  }
}
