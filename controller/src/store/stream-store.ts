import { randomUUID } from 'node:crypto';

import type { NatsConnection } from '@nats-io/transport-node';

import { decodeRecord, encode, encodeRecord } from '../../../protocol/codec.ts';
import { type HeadResult, headResultSchema } from '../../../protocol/history/head-result.ts';
import { encodeLoadCommand } from '../../../protocol/load-command.ts';
import type { EvaluateRequest } from '../../../protocol/shell-messages.ts';
import { streamOf, type Subjects } from '../../../protocol/subjects.ts';
import { createBundles } from './bundles.ts';
import { createFormatGuard, type FormatGuard } from './format-guard.ts';
import { createHeads } from './heads.ts';
import { createKeyListWriter } from './key-list-writer.ts';
import type { Keyring, Rotation } from './keyring.ts';
import { untilAnswered } from './no-answer.ts';
import { createOperators } from './operators.ts';
import { createPackages } from './packages.ts';
import { createRawRecords } from './raw-records.ts';
import { diskOf, type Storage } from './storage.ts';
import { openStream, type Stream } from './stream.ts';

/** The share of the stream for bundles and packages. The rest is for heads and their results, so that a full stream can roll back. */
const BUNDLES_SHARE = 15 / 16;

interface StoreOptions {
  readonly cookie: string;
  readonly subjects: Subjects;
  readonly keyring: Keyring;
  /** How large the stream may become, bytes. */
  readonly maxBytes: number;
  /** On how many servers of NATS the stream is; default: one. */
  readonly replicas?: number;
  /** A folder on the stream's disk; without it, nothing is known of the disk. */
  readonly diskFolder?: string;
}

/** The cookie's stream: bundles, packages, heads and the results of heads, and operators. */
export type StreamStore = Awaited<ReturnType<typeof openStore>>;

/** Opens the cookie's stream, and creates it when it does not exist. */
export async function openStore(nats: NatsConnection, options: StoreOptions) {
  const { cookie, subjects, keyring, maxBytes, replicas = 1, diskFolder } = options;
  const guard = createFormatGuard();
  const stream = guarded(await openStream(nats, streamOf(cookie), subjects.bundle('none', 'none')), guard);
  const { signHeadAgain, collectHeads, ...heads } = createHeads(stream, subjects, keyring, guard);
  const { signBundlesAgain, ...bundles } = createBundles(stream, subjects, keyring);
  const { signPackagesAgain, ...packages } = createPackages(stream, subjects, keyring);
  const { signOperatorsAgain, ...operators } = createOperators(stream, subjects, keyring);
  const { bundles: ofBundles, packageSets, archives, keys, headResults, operatorRecords } = subjects;
  const written = [ofBundles, packageSets, archives, keys, subjects.heads, headResults, operatorRecords];
  const ensureStream = (): Promise<void> => stream.ensure(written, { maxBytes, replicas });
  await ensureStream();

  /** Signs with the present key what the stream keeps for nodes. @returns how many records another key had signed */
  const signAllAgain = async (): Promise<number> => {
    let count = await signPackagesAgain();
    for (const { module } of await heads.heads()) {
      if (await signHeadAgain(module)) count += 1;
      count += await signBundlesAgain(module);
    }
    return count;
  };
  const tell = (envelope: Uint8Array): void => nats.publish(subjects.all('keys'), envelope);
  let writing: Promise<boolean> | null = null;
  const keyLists = createKeyListWriter(stream, { subjects, keyring, signAgain: signAllAgain, tell });
  // Nothing is written before this has looked who has written last.
  await keyLists.readKeyLists();
  await heads.heads();
  return {
    ...heads,
    ...bundles,
    ...packages,
    ...operators,
    ...createRawRecords(stream, subjects, keyring),
    ensureStream,

    /**
     * Writes the lists of keys that are due, and the newest again where it was lost or overwritten. That can take long: before a list
     * that drops a key, all records are signed again. Whoever asks meanwhile waits for the same.
     *
     * @returns whether it was lost or overwritten
     */
    async writeKeyLists(): Promise<boolean> {
      if (guard.newerText() !== null) return false;
      // A key that this controller was given signs the operators while the one before it is believed.
      writing ??= signOperatorsAgain()
        .then(keyLists.writeKeyLists)
        .finally(() => (writing = null));
      return writing;
    },

    /** The number of the list of keys that nodes follow; undefined when there is none. */
    keyList: () => keyring.inForce()?.list.number,
    newerText: guard.newerText,
    checkFormat: guard.check,
    natsClockOffset: () => stream.clockOffset(),

    /** How full the stream and its disk are, and whether NATS writes. @throws the client's error when NATS does not tell */
    async storage(): Promise<Storage> {
      const [usedBytes, fault, disk] = await Promise.all([
        stream.size(),
        stream.writeFault(),
        diskFolder === undefined ? null : diskOf(diskFolder),
      ]);
      return { usedBytes, maxBytes: Math.floor(maxBytes * BUNDLES_SHARE), disk, fault };
    },

    /** The last head result of every module. */
    async headResults(): Promise<HeadResult[]> {
      const messages = await stream.lastOfEach(subjects.headResults);
      return messages.map(({ data }) => decodeRecord(headResultSchema, data));
    },

    /** The kept head results of a module, oldest first. */
    async headResultHistory(module: string): Promise<HeadResult[]> {
      const messages = await stream.kept(subjects.headResult(module));
      return messages.map(({ data }) => decodeRecord(headResultSchema, data));
    },

    /** Removes the heads that the history of a module does not keep, and their results. */
    async collectHistory(module: string): Promise<void> {
      const kept = await collectHeads(module);
      for (const { data, seq } of (await stream.kept(subjects.headResult(module))).slice(0, -1)) {
        if (!kept.has(decodeRecord(headResultSchema, data).sequence)) await stream.remove(seq);
      }
    },

    /** Signs the bundles of a module, and all packages, with the present key. */
    async signAgain(module: string): Promise<void> {
      await signPackagesAgain();
      await signBundlesAgain(module);
    },

    async writeHeadResult(result: HeadResult): Promise<void> {
      // NATS drops a repetition of what it took without an answer.
      const [id, record] = [{ msgID: randomUUID() }, encodeRecord(result)];
      const publish = () => stream.client.publish(subjects.headResult(result.module), record, id);
      await untilAnswered(publish, { waitsForLeader: true });
    },

    /** A command for one process of a node to load a packed bundle past the heads, in its envelope. */
    signLoadCommand(node: string, processId: string, packed: Uint8Array): Uint8Array {
      const command = encodeLoadCommand({ processId, id: randomUUID(), packed });
      return keyring.sign(subjects.node(node, 'load'), command);
    },

    /** Signs an expression for one process of a node. */
    signExpression(node: string, processId: string, expression: EvaluateRequest): Uint8Array {
      const command = encodeLoadCommand({ processId, id: randomUUID(), packed: encode(expression) });
      return keyring.sign(subjects.node(node, 'evaluate'), command);
    },

    /**
     * Signs with a new key from now on. Nodes trust it at once, and the earlier keys for an overlap (milliseconds). The records that
     * the stream keeps are signed again, so that nodes which start later find what they trust. A rotation that was interrupted is
     * finished before the earlier keys end.
     *
     * @returns the new key's id, those of the earlier ones, and how many records were signed again.
     */
    async rotateKey(overlapMs: number): Promise<Omit<Rotation, 'install'> & { readonly signedAgain: number }> {
      const { install, ...rotation } = keyring.rotate(overlapMs);
      await keyLists.writeKeyLists();
      install();
      return { ...rotation, signedAgain: (await signOperatorsAgain()) + (await signAllAgain()) };
    },

    /**
     * Has nobody believe a key any more. What it alone has signed of the records that nodes need is signed again before. Operators whom it
     * alone has signed are gone.
     */
    async revokeKey(key: string): Promise<void> {
      await signOperatorsAgain();
      keyring.revoke(key);
      await keyLists.writeKeyLists();
    },
  };
}

/** A stream that writes and removes nothing when a later release has written to it. */
function guarded(stream: Stream, guard: FormatGuard): Stream {
  const { publish, publishTogether } = stream.client;
  return {
    ...stream,
    client: {
      publish: async (...message) => {
        guard.check();
        return publish(...message);
      },
      publishTogether: async messages => {
        guard.check();
        return publishTogether(messages);
      },
    },
    remove: async position => {
      guard.check();
      return stream.remove(position);
    },
    purge: async (subject, keep) => {
      guard.check();
      return stream.purge(subject, keep);
    },
  };
}
