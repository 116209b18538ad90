import * as v from 'valibot';

import { count, nodeName } from '../schemas.ts';

/** Asks the agent of a machine for its containers. `fresh`: as they are after this request, not as they were a moment ago. */
export const agentRequest = v.object({ fresh: v.boolean() });

/** The node containers of the machine, in any state, with the fields of a roster's members; or why they are not known. */
export const agentAnswer = v.variant('status', [
  v.object({
    status: v.literal('containers'),
    /** The version that the agent speaks, see version.ts. */
    protocol: count,
    containers: v.array(
      v.object({
        id: v.string(),
        name: v.string(),
        node: nodeName,
        state: v.string(),
        createdAt: v.nullable(count),
        addresses: v.array(v.string()),
        lastStart: v.exactOptional(v.string()),
      }),
    ),
  }),
  v.object({ status: v.literal('unavailable'), protocol: count, detail: v.string() }),
]);

export type AgentRequest = v.InferOutput<typeof agentRequest>;
export type AgentAnswer = v.InferOutput<typeof agentAnswer>;
