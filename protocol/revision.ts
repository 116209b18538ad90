import { hash } from 'node:crypto';

/** The SHA-256 of the code (UTF-8), 64 hex digits. The same code has the same revision everywhere. */
export function revisionOf(code: string | Uint8Array): string {
  return hash('sha256', code);
}

/** A revision as people see it: its first 12 hex digits. */
export function shortRevision(revision: string): string {
  return revision.slice(0, 12);
}
