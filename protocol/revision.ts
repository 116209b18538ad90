import { hash } from 'node:crypto';

/**
 * The SHA-256 that covers the code (UTF-8) and its source map, 64 hex digits. The same source has the same revision everywhere.
 *
 * @param mapHash see {@link mapHashOf}. Bundles of before version 0.2 have none: their revisions cover the code only.
 */
export function revisionOf(code: string | Uint8Array, mapHash?: string): string {
  const codeHash = hash('sha256', code);
  return mapHash === undefined ? codeHash : hash('sha256', `${codeHash} ${mapHash}`);
}

/** The SHA-256 of the JSON text of a source map, 64 hex digits. */
export function mapHashOf(map: string): string {
  return hash('sha256', map);
}

/** A revision as people see it: its first 12 hex digits. */
export function shortRevision(revision: string): string {
  return revision.slice(0, 12);
}
