import * as v from 'valibot';

import { count, nodeName } from '../schemas.ts';

/** A node has come or gone, as the controller has seen it. */
export const nodeChangeSchema = v.object({
  /** When the controller saw it, milliseconds since 1970. */
  at: count,
  node: nodeName,
  container: v.string(),
  /** When its process started, milliseconds since 1970, by its own clock. */
  startedAt: count,
  change: v.picklist([
    'started',
    /** It said goodbye, or its container has ended. */
    'stopped',
    /** No heartbeat comes: it is blocked, cut off or dead. */
    'silent',
    /** The same process is heard again. */
    'back',
  ]),
  /** One line for people; may be empty. */
  detail: v.string(),
});

export type NodeChange = Readonly<v.InferOutput<typeof nodeChangeSchema>>;
