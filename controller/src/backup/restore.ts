import { decodeRecord } from '../../../protocol/codec.ts';
import { type Head, headSchema, type Manifest } from '../../../protocol/head.ts';
import { type HeadResult, headResultSchema } from '../../../protocol/history/head-result.ts';
import type { Groups } from '../../../protocol/placement/groups.ts';
import { verifyEnvelope } from '../../../protocol/signing/envelope.ts';
import { publicKeyIn, readTrustedKey } from '../../../protocol/signing/keys.ts';
import { shortRevision } from '../../../protocol/revision.ts';
import { subjectsOf } from '../../../protocol/subjects.ts';
import type { Keyring } from '../store/keyring.ts';
import type { StreamStore } from '../store/stream-store.ts';
import { BackupError, type Entry } from './format.ts';
import { decryptKey } from './keys.ts';

export interface RestoreTarget {
  readonly store: Pick<StreamStore, 'writeRecord' | 'hasBundle' | 'writeHistory' | 'writeKeyLists'>;
  readonly keyring: Pick<Keyring, 'adopt' | 'install' | 'knownKeys'>;
  readonly cookie: string;
  /** With it, this cluster signs with the backup's key from now on. */
  readonly passphrase: string | null;
  /** Receives what the user should know, a line each. */
  readonly say: (line: string) => void;
}

/** What should run after the restore: the heads are written by the controller. */
export interface RestorePlan {
  readonly modules: readonly {
    readonly module: string;
    readonly revision: string;
    readonly manifest: Manifest | null;
    readonly groups?: Groups;
  }[];
  /** When the backup was made, milliseconds since 1970. */
  readonly at: number;
}

/**
 * Writes what the stream lacks of a backup: bundles, packages, and the history of modules that have none. Everything is signed
 * with this cluster's key, or the backup's, so that its nodes trust it, and nothing that is there is overwritten. No key is
 * installed and no head is written before the backup was read to its end and found whole.
 *
 * @throws BackupError when it is not a whole backup of this cookie.
 */
export async function restoreEntries(entries: AsyncIterable<Entry>, target: RestoreTarget): Promise<RestorePlan> {
  const { store, keyring, cookie, passphrase, say } = target;
  const subjects = subjectsOf(cookie);
  const trusted = new Map<string, ReturnType<typeof readTrustedKey>['publicKey']>();
  const own = new Set(keyring.knownKeys().map(text => publicKeyIn(text).id));
  const strangers = new Set<string>();
  const heads = new Map<string, Head[]>();
  const results = new Map<string, HeadResult[]>();
  let at = 0;
  let hasKey = false;

  const content = (subject: string, bytes: Uint8Array): Uint8Array => {
    const verified = verifyEnvelope(trusted, subject, bytes);
    if (verified.status === 'rejected')
      throw new BackupError(`the backup's ${subject} is not signed: ${verified.fault}`);
    if (!own.has(verified.key)) strangers.add(verified.key);
    return verified.payload;
  };
  const readRecord = async (subject: string, bytes: Uint8Array): Promise<void> => {
    if (isUnder(subjects.headResults, subject)) {
      const result = decodeRecord(headResultSchema, bytes);
      addTo(results, result.module, result);
      return;
    }
    const payload = content(subject, bytes);
    if (isUnder(subjects.heads, subject)) {
      const head = decodeRecord(headSchema, payload);
      addTo(heads, head.module, head);
    } else await store.writeRecord(subject, payload);
  };

  for await (const entry of entries) {
    switch (entry.type) {
      case 'about':
        if (entry.cookie !== cookie)
          throw new BackupError(`the backup is of the cookie ${entry.cookie}, not ${cookie}`);
        ({ at } = entry);
        break;
      case 'trust': {
        const { id, publicKey } = readTrustedKey(entry.content);
        trusted.set(id, publicKey);
        break;
      }
      case 'signing key':
        hasKey = true;
        if (passphrase !== null) own.add(keyring.adopt(decryptKey(entry.content, passphrase, cookie)));
        break;
      case 'record':
        await readRecord(entry.subject, entry.content);
        break;
      default: {
        const check: never = entry;
        return check;
      }
    }
  }
  if (passphrase !== null && !hasKey)
    throw new BackupError('the backup has no signing key (it was made without --keys)');
  if (strangers.size > 0) {
    say(
      `signed by ${[...strangers].join(', ')}, which this cluster does not trust; it is signed again with its own key`,
    );
  }

  const newest = [...heads.values()].map(all => all.toSorted((a, b) => a.sequence - b.sequence).at(-1));
  const modules = newest.flatMap(head =>
    head === undefined || head.revision === null
      ? []
      : [
          {
            module: head.module,
            revision: head.revision,
            manifest: head.manifest,
            ...(head.groups === undefined ? {} : { groups: head.groups }),
          },
        ],
  );
  for (const { module, canary } of newest.filter(head => head !== undefined)) {
    if (canary !== null) say(`${module} had an open canary, ${shortRevision(canary.revision)}; it is not opened again`);
  }
  for (const name of modules) {
    if (await store.hasBundle(name)) continue;
    throw new BackupError(`the backup lacks the bundle of ${name.module}@${shortRevision(name.revision)}`);
  }
  keyring.install();
  await store.writeKeyLists();
  for (const [module, all] of heads) await store.writeHistory(module, all, results.get(module) ?? []);
  return { modules, at };
}

/** Whether a subject is one of those of a filter that ends in one `*`. */
const isUnder = (filter: string, subject: string): boolean => subject.startsWith(filter.slice(0, -1));

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  map.set(key, [...(map.get(key) ?? []), value]);
}
