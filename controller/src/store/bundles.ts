import { headers } from '@nats-io/transport-node';

import { type Bundle, decodeBundle } from '../../../protocol/bundle.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { type Groups, servicesOf } from '../../../protocol/placement/groups.ts';
import { AFTER, ANSWER_TO, FORCE, PUSH_SIGNATURE, SERVICES, type Subjects } from '../../../protocol/subjects.ts';
import type { Keyring } from './keyring.ts';
import type { Stream } from './stream.ts';
import { createWriteOnce } from './write-once.ts';

/** What a bundle is stored under. */
export type BundleName = Pick<Bundle, 'module' | 'revision'>;

export interface PutOptions {
  readonly answerTo?: string;
  readonly force?: boolean;
  readonly after?: number;
  /** Null: every group. */
  readonly groups?: Groups | null;
  /** The envelope of the head that the push is going to commit. Nobody sees it before: the message has its hash. */
  readonly head?: Uint8Array;
}

/** The bundles in the stream, each written once. */
export function createBundles(stream: Stream, subjects: Subjects, keyring: Keyring) {
  const records = createWriteOnce(stream, keyring, isReadable);
  /** The subjects of bundles that were read, or written by this process: what is stored there does not change. */
  const known = new Set<string>();
  const subjectOf = ({ module, revision }: BundleName): string => subjects.bundle(module, revision);

  /** The packed bytes of a bundle; null when the stream has none that this cookie's controller has signed. */
  async function bundle(name: BundleName): Promise<Uint8Array | null> {
    return records.read(subjectOf(name));
  }

  /** The names of the bundles in the stream: those of a module, or all. */
  async function bundles(module = '*'): Promise<BundleName[]> {
    return Object.keys(await stream.subjects(subjects.bundle(module, '*'))).map(bundleNameIn);
  }

  /** Whether the stream has a bundle. Its bytes are not read. */
  async function hasBundle(name: BundleName): Promise<boolean> {
    return Object.keys(await stream.subjects(subjectOf(name))).length > 0;
  }

  /**
   * Those of the bundles that a node which starts could not load: the stream has none that this cookie's controller has signed, or
   * its stored form can't be read. A push of the same code writes such a bundle again.
   */
  async function unreadableBundles(names: readonly BundleName[]): Promise<BundleName[]> {
    if (names.length === 0) return [];
    const [first] = new Set(names.map(({ module }) => module)).size === 1 ? names : [];
    const stored = await stream.subjects(first === undefined ? subjects.bundles : subjects.bundle(first.module, '*'));
    const isLacking = async (name: BundleName): Promise<boolean> => {
      const subject = subjectOf(name);
      if (stored[subject] === undefined) return true;
      if (known.has(subject)) return false;
      const content = await records.read(subject);
      if (content === null || !isReadable(content)) return true;
      known.add(subject);
      return false;
    };
    const lacking: BundleName[] = [];
    for (const name of names) if (await isLacking(name)) lacking.push(name);
    return lacking;
  }

  async function removeBundle(name: BundleName): Promise<void> {
    known.delete(subjectOf(name));
    await stream.purge(subjectOf(name));
  }

  /**
   * Writes a bundle, once. With `answerTo`, an inbox, the same message has every node of its groups prepare it and answer there; with
   * `force`, also a node on which calls still run on an old version. `after`: the highest known sequence of the module's heads. `head`:
   * nodes verify one signature for this bundle and that head.
   */
  async function putBundle(
    name: BundleName,
    packed: Uint8Array,
    { answerTo, force = false, after, groups = null, head }: PutOptions = {},
  ): Promise<void> {
    const subject = subjectOf(name);
    await records.write(subject, packed, signed => {
      const header = headers();
      if (answerTo !== undefined) header.set(ANSWER_TO, answerTo);
      if (force) header.set(FORCE, '1');
      if (after !== undefined) header.set(AFTER, String(after));
      if (groups !== null) header.set(SERVICES, servicesOf(groups).join(','));
      if (head !== undefined) header.set(PUSH_SIGNATURE, keyring.signPush(subject, signed, head));
      return header;
    });
    known.add(subject);
  }

  /** Signs the bundles of a module with the present key. @returns how many another key had signed. */
  async function signBundlesAgain(module: string): Promise<number> {
    let count = 0;
    for (const name of await bundles(module)) if (await records.signAgain(subjectOf(name))) count += 1;
    return count;
  }

  return { bundle, bundles, hasBundle, unreadableBundles, removeBundle, putBundle, signBundlesAgain };
}

/** Whether a node of this release can read a bundle. */
function isReadable(packed: Uint8Array): boolean {
  try {
    decodeBundle(packed);
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

function bundleNameIn(subject: string): BundleName {
  const [module = '', revision = ''] = subject.split('.').slice(-2);
  return { module, revision };
}
