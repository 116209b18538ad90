import * as v from 'valibot';

import { count, moduleName, revision } from '../schemas.ts';
import { whyEntries } from './why.ts';

/** What was done to the cluster, also what changed nothing: refused and failed commands. */
export const auditEntrySchema = v.object({
  /** When it ended, milliseconds since 1970. */
  at: count,
  /** The id of the change; null for what writes no heads. */
  change: v.nullable(v.string()),
  /** The user who gave the command; `hotcast` for what the controller does by itself. */
  author: v.string(),
  command: v.string(),
  modules: v.array(v.object({ module: moduleName, revision: v.nullable(revision) })),
  /** The outcome of the result, or `failed`. */
  outcome: v.string(),
  /** One line for people; may be empty. */
  detail: v.string(),
  /** The part of the fleet that a push is a canary on, as the user named it. */
  canary: v.exactOptional(v.string()),
  ...whyEntries,
});

export type AuditEntry = Readonly<v.InferOutput<typeof auditEntrySchema>>;
