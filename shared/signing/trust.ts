import type { TrustedKeys } from '../../protocol/signing/envelope.ts';
import { KeyTrust } from '../../protocol/signing/key-trust.ts';
import { rootKeyFiles, trustedKeyFiles } from '../../protocol/signing/trusted-keys.ts';
import type { Subjects } from '../../protocol/subjects.ts';
import { readFiles, readJsonFiles } from '../files.ts';

/** How the files of root keys end, in the folder of what nodes trust. A release without lists of keys does not read them. */
export const ROOT_KEY_SUFFIX = '.pub';

/** The public halves of the root keys in a folder of what nodes trust. */
export function rootKeysIn(trustDir: string): TrustedKeys {
  return rootKeyFiles(() => readFiles(trustDir, ROOT_KEY_SUFFIX));
}

/** The keys that are trusted: those of the newest list, and until there is one those that the release before has written into files. */
export function openTrust(trustDir: string, subjects: Pick<Subjects, 'keys'>): KeyTrust {
  const earlier = trustedKeyFiles(() => readJsonFiles(trustDir));
  return new KeyTrust({ roots: rootKeysIn(trustDir), subject: subjects.keys, earlier });
}
