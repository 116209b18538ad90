import type { BundleName, Store } from '../../../controller/src/store.ts';
import type { Records } from '../../../node-image/src/catch-up.ts';
import { decodeBundle } from '../../../protocol/bundle.ts';
import { decode, encode } from '../../../protocol/codec.ts';
import { type Head, headSchema } from '../../../protocol/head.ts';
import { KEPT_HEADS } from '../../../protocol/limits.ts';
import { type Outcome, outcomeSchema } from '../../../protocol/outcome.ts';
import { ANSWER_TO, type Subjects } from '../../../protocol/subjects.ts';
import { sealed } from '../fixtures.ts';
import type { Connection, Network } from './network.ts';

interface Stored {
  readonly head: Head;
  readonly position: number;
}

/** The cookie's stream, in memory: what NATS keeps, and the rules by which it takes a write. */
export class Stream {
  #position = 0;
  readonly #heads = new Map<string, Stored[]>();
  readonly #outcomes = new Map<string, Outcome[]>();
  readonly #bundles = new Map<string, Uint8Array>();
  /** All that were ever written, also those that are not kept any more. */
  readonly everyHead: Head[] = [];

  lastHead(module: string): Stored | { head: null; position: 0 } {
    return this.#heads.get(module)?.at(-1) ?? { head: null, position: 0 };
  }

  heads(): Head[] {
    return [...this.#heads.values()].flatMap(kept => kept.at(-1)?.head ?? []);
  }

  history(module: string): Head[] {
    return (this.#heads.get(module) ?? []).map(({ head }) => head);
  }

  outcomes(): Outcome[] {
    return [...this.#outcomes.values()].flatMap(kept => kept.at(-1) ?? []);
  }

  outcomeHistory(module: string): Outcome[] {
    return [...(this.#outcomes.get(module) ?? [])];
  }

  writeOutcome(written: Outcome): void {
    const outcome = decode(outcomeSchema, encode(written));
    const kept = [...this.outcomeHistory(outcome.module), outcome];
    this.#outcomes.set(outcome.module, kept.slice(-KEPT_HEADS));
  }

  writeHeads(writes: readonly Stored[]): boolean {
    if (!writes.every(({ head, position }) => this.lastHead(head.module).position === position)) return false;
    for (const write of writes) {
      const head = decode(headSchema, encode(write.head));
      this.#position += 1;
      const kept = [...(this.#heads.get(head.module) ?? []), { head, position: this.#position }];
      this.#heads.set(head.module, kept.slice(-KEPT_HEADS));
      this.everyHead.push(head);
    }
    return true;
  }

  bundle(module: string, revision: string): Uint8Array | null {
    return this.#bundles.get(`${module}.${revision}`) ?? null;
  }

  bundles(): BundleName[] {
    return [...this.#bundles.keys()].map(key => {
      const [module = '', revision = ''] = key.split('.');
      return { module, revision };
    });
  }

  putBundle(module: string, revision: string, packed: Uint8Array): void {
    if (this.bundle(module, revision) === null) this.#bundles.set(`${module}.${revision}`, packed);
  }

  removeBundle(module: string, revision: string): void {
    this.#bundles.delete(`${module}.${revision}`);
  }

  /** Revisions that a kept head names and nobody can read. */
  missing(): (string | null)[] {
    const kept = [...this.#heads.values()].flat();
    return kept.flatMap(({ head: { module, revision, canary } }) =>
      [revision, canary?.revision ?? null].filter(each => each !== null && this.bundle(module, each) === null),
    );
  }
}

/** A node's view of the stream. */
export function recordsOf(node: string, stream: Stream, network: Network): Records {
  return {
    heads: async () => network.read(node, stream.heads()),
    bundle: async (module, revision) => {
      const packed = await network.read(node, stream.bundle(module, revision));
      return packed === null ? null : decodeBundle(packed);
    },
  };
}

/** Whose view of the stream it is. */
export interface Writer {
  /** Does something to the stream, at the writer's own pace: before and after it, the writer may have to wait. */
  readonly deed: <T>(deed: () => T) => Promise<T>;
  /** Told at the moment that a head is read or heads are written. */
  readonly onRead: (module: string, head: Head | null) => void;
  readonly onWrite: (heads: readonly Head[]) => void;
}

/** A controller's view of the stream. */
export function storeOf(stream: Stream, connection: Connection, subjects: Subjects, writer: Writer): Store {
  const { deed } = writer;
  const store: Pick<Store, keyof Store> = {
    ensureStream: async () => undefined,
    room: () => Promise.resolve(Infinity),
    heads: () => deed(() => stream.heads()),
    history: module => deed(() => stream.history(module)),
    outcomes: () => deed(() => stream.outcomes()),
    outcomeHistory: module => deed(() => stream.outcomeHistory(module)),
    writeOutcome: outcome => deed(() => stream.writeOutcome(outcome)),
    bundle: (module, revision) => deed(() => stream.bundle(module, revision)),
    bundles: () => deed(() => stream.bundles()),
    removeBundle: (module, revision) => deed(() => stream.removeBundle(module, revision)),
    restoreHeads: () => Promise.resolve([]),
    reseal: () => Promise.resolve(0),
    lastHead: module =>
      deed(() => {
        const last = stream.lastHead(module);
        writer.onRead(module, last.head);
        return last;
      }),
    writeHeads: writes =>
      deed(() => {
        const isWritten = stream.writeHeads(writes);
        if (isWritten) writer.onWrite(writes.map(({ head }) => head));
        return isWritten;
      }),
    sealLoad: () => new Uint8Array(),
    sealHead: head => sealed(subjects.head(head.module), encode(head)),
    putBundle: (bundle, packed, answerTo) =>
      deed(() => {
        stream.putBundle(bundle.module, bundle.revision, packed);
        const headers = answerTo === null ? undefined : new Map([[ANSWER_TO, answerTo]]);
        const subject = subjects.bundle(bundle.module, bundle.revision);
        connection.publish(subject, sealed(subject, packed), {
          headers,
        });
      }),
  };
  return store as Store;
}
