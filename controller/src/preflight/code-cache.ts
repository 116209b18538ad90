import type { Script } from 'node:vm';

import type { Bundle } from '../../../protocol/bundle.ts';
import { RUNTIME } from '../../../protocol/script.ts';

/** Of less code than this (characters), unpacking a cache takes a node as long as compiling. */
const WORTH_IT_FROM = 16 * 1024;

export type CodeCache = NonNullable<Bundle['cache']>;

/**
 * What V8 has made of a module's code, for nodes that run the same V8 with the same flags: each then takes over in a tenth
 * of the time what was compiled here once. After the script has run, that has the functions in it which loading needs.
 * Null for little code.
 */
export function codeCache(code: string, script: Script): CodeCache | null {
  if (code.length < WORTH_IT_FROM) return null;
  return { runtime: RUNTIME, base64: script.createCachedData().toString('base64') };
}
