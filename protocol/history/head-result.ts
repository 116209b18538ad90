import * as v from 'valibot';

import { count, moduleName } from '../schemas.ts';

export const headResultSchema = v.object({
  module: moduleName,
  /** The sequence of the head. */
  sequence: count,
  /** `committed`: the head is valid. `reverted`: a node could not load it, and the next head rolls it back. */
  verdict: v.picklist(['committed', 'reverted']),
  loaded: count,
  refused: count,
  silent: count,
});

/** The result of a head, written after its commit. It is missing when the controller died before. */
export type HeadResult = v.InferOutput<typeof headResultSchema>;
