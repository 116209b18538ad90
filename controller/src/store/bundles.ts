import { headers } from '@nats-io/transport-node';

import type { Bundle } from '../../../protocol/bundle.ts';
import { AFTER, ANSWER_TO, FORCE, type Subjects } from '../../../protocol/subjects.ts';
import type { Keyring } from './keyring.ts';
import type { Stream } from './stream.ts';
import { createWriteOnce } from './write-once.ts';

/** What a bundle is stored under. */
export type BundleName = Pick<Bundle, 'module' | 'revision'>;

export interface PutOptions {
  readonly answerTo?: string;
  readonly force?: boolean;
  readonly after?: number;
}

/** The bundles in the stream, each written once. */
export function createBundles(stream: Stream, subjects: Subjects, keyring: Keyring) {
  const records = createWriteOnce(stream, keyring);
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

  async function removeBundle(name: BundleName): Promise<void> {
    await stream.purge(subjectOf(name));
  }

  /**
   * Writes a bundle, once. With `answerTo`, an inbox, the same message has every subscribed node prepare it and answer there; with
   * `force`, also a node on which calls still run on an old version. `after`: the highest known sequence of the module's heads.
   */
  async function putBundle(
    name: BundleName,
    packed: Uint8Array,
    { answerTo, force = false, after }: PutOptions = {},
  ): Promise<void> {
    const header = headers();
    if (answerTo !== undefined) header.set(ANSWER_TO, answerTo);
    if (force) header.set(FORCE, '1');
    if (after !== undefined) header.set(AFTER, String(after));
    await records.write(subjectOf(name), packed, header);
  }

  /** Signs the bundles of a module with the present key. @returns how many another key had signed. */
  async function signBundlesAgain(module: string): Promise<number> {
    let count = 0;
    for (const name of await bundles(module)) if (await records.signAgain(subjectOf(name))) count += 1;
    return count;
  }

  return { bundle, bundles, hasBundle, removeBundle, putBundle, signBundlesAgain };
}

function bundleNameIn(subject: string): BundleName {
  const [module = '', revision = ''] = subject.split('.').slice(-2);
  return { module, revision };
}
