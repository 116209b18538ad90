import * as v from 'valibot';

import { count, moduleName } from './schemas.ts';

export const headResultSchema = v.object({
  module: moduleName,
  /** Of the head that this is about. */
  sequence: count,
  /** `committed`: the head stands. `reverted`: a node could not load it, and the next head points back. */
  verdict: v.picklist(['committed', 'reverted']),
  loaded: count,
  refused: count,
  silent: count,
});

/** What came of a head, written after its commit. A head without one was left unfinished by a controller that died. */
export type HeadResult = v.InferOutput<typeof headResultSchema>;
