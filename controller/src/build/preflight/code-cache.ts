import type { Script } from 'node:vm';

import type { Bundle } from '../../../../protocol/bundle.ts';
import { CODE_CACHE_RUNTIME } from '../../../../shared/module-script.ts';

export type CodeCache = NonNullable<Bundle['cache']>;

/**
 * What V8 has made of a module's code, for nodes that run the same V8 with the same flags: each then takes over in a tenth
 * of the time what was compiled here once. After the script has run, that has the functions in it which loading needs.
 */
export function codeCache(script: Script): CodeCache {
  return { runtime: CODE_CACHE_RUNTIME, data: script.createCachedData() };
}
