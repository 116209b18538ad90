import { hash } from 'node:crypto';

/**
 * The SHA-256 that covers the code (UTF-8), its source map and its packages, 64 hex digits. The same source with the same
 * packages has the same revision everywhere.
 *
 * @param mapHash see {@link mapHashOf}. Bundles of before version 0.2 have none: their revisions cover the code only.
 * @param packages the hash of the package set, for code that uses packages.
 */
export function revisionOf(code: string | Uint8Array, mapHash?: string, packages?: string): string {
  const codeHash = hash('sha256', code);
  const others = [mapHash, packages].filter(each => each !== undefined);
  return others.length === 0 ? codeHash : hash('sha256', [codeHash, ...others].join(' '));
}

/** The SHA-256 of the JSON text of a source map, 64 hex digits. */
export function mapHashOf(map: string): string {
  return hash('sha256', map);
}

/** A revision as people see it: its first 12 hex digits. */
export function shortRevision(revision: string): string {
  return revision.slice(0, 12);
}
