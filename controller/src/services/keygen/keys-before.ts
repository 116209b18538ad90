import { publicKeyText, readSigningKey, readTrustedKey } from '../../../../protocol/signing/keys.ts';
import { rootKeyFiles } from '../../../../protocol/signing/trusted-keys.ts';
import { subjectsOf } from '../../../../protocol/subjects.ts';
import { ROOT_KEY_SUFFIX } from '../../../../shared/signing/trust.ts';
import { KEY_LISTS, readKeyLists } from '../../store/key-lists.ts';
import { SIGNING_KEY } from '../../store/keyring.ts';
import type { KeyFolders } from './key-folders.ts';
import { EARLIER_KEY_SUFFIX, type SigningKeys } from './make-keys.ts';

/**
 * The keys with which a cookie's records were signed: those of its lists, or, of a release without lists, those that have a file. The
 * key that signs is the first one.
 *
 * @param now milliseconds since 1970.
 */
export function keysBefore(folders: KeyFolders, cookie: string, now: number): SigningKeys {
  const signing = folders.read('controller', `${cookie}/${SIGNING_KEY}`);
  const signs = signing === null ? [] : [readSigningKey(Buffer.from(signing).toString()).publicHalf];
  const { trusted, ended } = listed(folders, cookie) ?? inFiles(folders, cookie, now);
  const all = [...new Set([...signs, ...trusted])];
  return { trusted: all, ended: ended.filter(key => !all.includes(key)) };
}

function listed(folders: KeyFolders, cookie: string): SigningKeys | null {
  const file = folders.read('controller', `${cookie}/${KEY_LISTS}`);
  if (file === null) return null;
  const roots = rootKeyFiles(() => folders.readAll('trust', cookie, ROOT_KEY_SUFFIX));
  const lists = readKeyLists(roots, subjectsOf(cookie).keys, file).map(({ list }) => list);
  return { trusted: lists.flatMap(({ trusted }) => trusted), ended: lists.flatMap(({ ended }) => ended) };
}

function inFiles(folders: KeyFolders, cookie: string, now: number): SigningKeys {
  const files = folders.readAll('trust', cookie, EARLIER_KEY_SUFFIX).map(readTrustedKey);
  const isTrusted = ({ until }: (typeof files)[number]): boolean => until === null || until > now;
  const textsOf = (keys: typeof files): string[] => keys.map(({ publicKey }) => publicKeyText(publicKey));
  return { trusted: textsOf(files.filter(isTrusted)), ended: textsOf(files.filter(key => !isTrusted(key))) };
}
