import { Script } from 'node:vm';

import type { Bundle } from '../../protocol/bundle.ts';
import { RUNTIME, SCRIPT_OPTIONS, scriptOf } from '../../protocol/script.ts';

/** Of less code than this (characters), unpacking a cache takes a node as long as compiling. */
const WORTH_IT_FROM = 16 * 1024;

/**
 * What V8 makes of a module's code, for nodes that run the same V8 with the same flags: each then takes over in a tenth
 * of the time what is compiled here once. Null for little code, and for what does not compile: the nodes say why.
 */
export function codeCache(code: string): NonNullable<Bundle['cache']> | null {
  if (code.length < WORTH_IT_FROM) return null;
  try {
    const script = new Script(scriptOf(code), SCRIPT_OPTIONS);
    return { runtime: RUNTIME, base64: script.createCachedData().toString('base64') };
  } catch {
    return null;
  }
}
