import { headers as natsHeaders } from '@nats-io/transport-node';

import type { BundleName } from '../../controller/src/store/bundles.ts';
import { keptHeads } from '../../controller/src/store/kept-heads.ts';
import type { StreamStore } from '../../controller/src/store/stream-store.ts';
import type { Verifier } from '../../node-image/src/admission/verifier.ts';
import type { RecordSource } from '../../node-image/src/cluster/reconciler.ts';
import { decodeBundle } from '../../protocol/bundle.ts';
import { decodeRecord, encodeRecord } from '../../protocol/codec.ts';
import { type Head, headSchema } from '../../protocol/head.ts';
import { HISTORY_LENGTH, MAX_MESSAGES_PER_SUBJECT } from '../../protocol/limits.ts';
import { type HeadResult, headResultSchema } from '../../protocol/history/head-result.ts';
import { servicesOf } from '../../protocol/placement/groups.ts';
import {
  AFTER,
  ANSWER_TO,
  FORCE,
  PUSH_SIGNATURE,
  SERVICES,
  type Subjects,
  subjectsOf,
} from '../../protocol/subjects.ts';
import { signed, signedPush, verifierOf } from '../unit/fixtures.ts';
import type { Connection, Network } from './network.ts';

interface Stored {
  readonly head: Head;
  readonly position: number;
}

interface Backup {
  readonly heads: ReadonlyMap<string, Stored[]>;
  readonly headResults: ReadonlyMap<string, HeadResult[]>;
  readonly bundles: ReadonlyMap<string, Uint8Array>;
}

/** The cookie's stream, in memory: what NATS keeps, and the rules by which it takes a write. */
export class Stream {
  #position = 0;
  readonly #heads = new Map<string, Stored[]>();
  readonly #headResults = new Map<string, HeadResult[]>();
  readonly #bundles = new Map<string, Uint8Array>();
  #before: readonly Head[] = [];
  /** All that were ever written, also those that are not kept any more. */
  readonly everyHead: Head[] = [];

  lastHead(module: string): Stored | { head: null; position: 0 } {
    return this.#heads.get(module)?.at(-1) ?? { head: null, position: 0 };
  }

  /** The last head of each module, in the order in which they were written. */
  heads(): Head[] {
    const last = [...this.#heads.values()].flatMap(kept => kept.at(-1) ?? []);
    return last.toSorted((a, b) => a.position - b.position).map(({ head }) => head);
  }

  /** The same, as of before the last write. */
  headsBefore(): readonly Head[] {
    return this.#before;
  }

  history(module: string): Head[] {
    return keptHeads((this.#heads.get(module) ?? []).map(({ head }) => head));
  }

  modulesWithLongHistory(): string[] {
    return [...this.#heads].flatMap(([module, { length }]) => (length > HISTORY_LENGTH ? [module] : []));
  }

  collectHistory(module: string): void {
    const kept = new Set(this.history(module));
    this.#heads.set(
      module,
      (this.#heads.get(module) ?? []).filter(({ head }) => kept.has(head)),
    );
  }

  headResults(): HeadResult[] {
    return [...this.#headResults.values()].flatMap(kept => kept.at(-1) ?? []);
  }

  headResultHistory(module: string): HeadResult[] {
    return [...(this.#headResults.get(module) ?? [])];
  }

  writeHeadResult(written: HeadResult): void {
    const outcome = decodeRecord(headResultSchema, encodeRecord(written));
    const kept = [...this.headResultHistory(outcome.module), outcome];
    this.#headResults.set(outcome.module, kept.slice(-MAX_MESSAGES_PER_SUBJECT));
  }

  writeHeads(writes: readonly Stored[]): boolean {
    if (!writes.every(({ head, position }) => this.lastHead(head.module).position === position)) return false;
    this.#before = this.heads();
    for (const write of writes) {
      const head = decodeRecord(headSchema, encodeRecord(write.head));
      this.#position += 1;
      const kept = [...(this.#heads.get(head.module) ?? []), { head, position: this.#position }];
      this.#heads.set(head.module, kept.slice(-MAX_MESSAGES_PER_SUBJECT));
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

  /** The disk was lost. */
  wipe(): void {
    this.#before = [];
    for (const kept of [this.#heads, this.#headResults, this.#bundles]) kept.clear();
  }

  /** What {@link restore} puts back. */
  backup(): Backup {
    return { heads: new Map(this.#heads), headResults: new Map(this.#headResults), bundles: new Map(this.#bundles) };
  }

  /** Puts an older stream in the place of this one. */
  restore({ heads, headResults, bundles }: Backup): void {
    this.wipe();
    for (const [module, kept] of heads) this.#heads.set(module, kept);
    for (const [module, kept] of headResults) this.#headResults.set(module, kept);
    for (const [name, packed] of bundles) this.#bundles.set(name, packed);
  }

  /** Revisions that a kept head names and nobody can read. */
  missing(): (string | null)[] {
    const kept = [...this.#heads.keys()].flatMap(module => this.history(module));
    return kept.flatMap(({ module, revision, canary }) =>
      [revision, canary?.revision ?? null].filter(each => each !== null && this.bundle(module, each) === null),
    );
  }
}

const envelopes = new WeakMap<Head, Uint8Array>();

/** A head in its envelope, signed once. */
function envelopeOf(subject: string, head: Head): Uint8Array {
  const envelope = envelopes.get(head) ?? signed(subject, encodeRecord(head));
  envelopes.set(head, envelope);
  return envelope;
}

/** A node's view of the stream. */
export function recordsOf(node: string, stream: Stream, network: Network, verifier: Verifier): RecordSource {
  const { head: subjectOf } = subjectsOf('dino');
  return {
    heads: async () => {
      const isBehind = network.linkOf(node) === 'behind';
      const heads = await network.read(node, isBehind ? stream.headsBefore() : stream.heads());
      return heads.map(head => verifier.head(null, envelopeOf(subjectOf(head.module), head)));
    },
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
export function storeOf(stream: Stream, connection: Connection, subjects: Subjects, writer: Writer): StreamStore {
  const { deed } = writer;
  const shown = new Map<string, number>();
  const lastOf = (module: string) => {
    const last = stream.lastHead(module);
    writer.onRead(module, last.head);
    return last;
  };
  const store: StreamStore = {
    ensureStream: async () => undefined,
    storage: () => Promise.resolve({ usedBytes: 0, maxBytes: 2 ** 40, disk: null, fault: null }),
    natsClockOffset: () => Promise.resolve(0),
    heads: () => deed(() => stream.heads()),
    history: module => deed(() => stream.history(module)),
    historyToLast: module => deed(() => ({ history: stream.history(module), last: lastOf(module) })),
    modulesWithLongHistory: () => deed(() => stream.modulesWithLongHistory()),
    collectHistory: module => deed(() => stream.collectHistory(module)),
    headResults: () => deed(() => stream.headResults()),
    headResultHistory: module => deed(() => stream.headResultHistory(module)),
    writeHeadResult: outcome => deed(() => stream.writeHeadResult(outcome)),
    bundle: ({ module, revision }) => deed(() => stream.bundle(module, revision)),
    hasBundle: ({ module, revision }) => deed(() => stream.bundle(module, revision) !== null),
    unreadableBundles: names =>
      deed(() => names.filter(({ module, revision }) => stream.bundle(module, revision) === null)),
    newerText: () => null,
    checkFormat: () => undefined,
    bundles: () => deed(() => stream.bundles()),
    removeBundle: ({ module, revision }) => deed(() => stream.removeBundle(module, revision)),
    // The modules of the simulation use no packages.
    packageSet: () => Promise.resolve(null),
    packageSets: () => Promise.resolve([]),
    archives: () => Promise.resolve(new Map()),
    missingPackages: () => Promise.resolve({ sets: [], archives: [], bytes: 0 }),
    putPackages: () => Promise.resolve(),
    removePackageSet: () => Promise.resolve(() => Promise.resolve()),
    removeArchive: () => Promise.resolve(() => Promise.resolve()),
    // Nor has it operators.
    operators: () => Promise.resolve([]),
    addOperator: () => Promise.reject(new Error('no operators')),
    revokeOperator: () => Promise.reject(new Error('no operators')),
    restoreHeads: () => Promise.resolve([]),
    lostHeads: () => [],
    // The simulation has no backups.
    records: async function* () {},
    writeRecord: () => Promise.resolve(),
    writeHistory: () => Promise.resolve(),
    highestSequence: module => Math.max(stream.lastHead(module).head?.sequence ?? 0, shown.get(module) ?? 0),
    knownHead: module => stream.lastHead(module).head,
    noteHead: (module, envelope) => {
      const { sequence } = verifierOf(subjects).head(subjects.head(module), envelope);
      shown.set(module, Math.max(shown.get(module) ?? 0, sequence));
    },
    signAgain: () => Promise.resolve(),
    rotateKey: () => Promise.resolve({ key: '', previous: [], signedAgain: 0 }),
    revokeKey: () => Promise.resolve(),
    writeKeyLists: () => Promise.resolve(false),
    keyList: () => undefined,
    lastHead: module => deed(() => lastOf(module)),
    writeHeads: writes =>
      deed(() => {
        const isWritten = stream.writeHeads(writes);
        if (isWritten) writer.onWrite(writes.map(({ head }) => head));
        return isWritten;
      }),
    signLoadCommand: () => new Uint8Array(),
    signExpression: () => new Uint8Array(),
    signHead: head => envelopeOf(subjects.head(head.module), head),
    putBundle: (bundle, packed, options) =>
      deed(() => {
        stream.putBundle(bundle.module, bundle.revision, packed);
        const { answerTo, force = false, after, groups = null, head } = options ?? {};
        const subject = subjects.bundle(bundle.module, bundle.revision);
        const envelope = signed(subject, packed);
        const headers = natsHeaders();
        if (answerTo !== undefined) headers.set(ANSWER_TO, answerTo);
        if (force) headers.set(FORCE, '');
        if (after !== undefined) headers.set(AFTER, String(after));
        if (groups !== null) headers.set(SERVICES, servicesOf(groups).join(','));
        if (head !== undefined) headers.set(PUSH_SIGNATURE, signedPush(subject, envelope, head));
        connection.publish(subject, envelope, { headers });
      }),
  };
  return store;
}
